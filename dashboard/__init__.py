"""The pages (Streamlit) and the command: they ask the engine and show what components draw."""
