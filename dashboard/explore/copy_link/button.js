export default function (component) {
  const button = component.parentElement.querySelector("button");
  const words = button.querySelector("span");
  let timer;

  const say = (text) => {
    words.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => { words.textContent = "Copy link"; }, 2000);
  };

  // Clipboards need a secure origin; elsewhere an old-fashioned selection does it.
  const bySelection = (text) => {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    field.style.opacity = "0";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  };

  button.onclick = async () => {
    const address = window.location.href;
    try {
      await navigator.clipboard.writeText(address);
      say("Copied");
    } catch (error) {
      say(bySelection(address) ? "Copied" : "Copy it from the address bar");
    }
  };

  return () => clearTimeout(timer);
}
