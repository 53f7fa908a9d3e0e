"""A sentence about a tree that imitates the model: may it stand for it?"""

from __future__ import annotations

from components.saying import counted, number, share
from engine.table_results import Surrogate

TRUSTED, SKETCH = 0.8, 0.5  # R² from which a tree stands for the model, or sketches it (ours)


def surrogate_sentence(surrogate: Surrogate) -> str:
    """Say how well a tree imitates the model on rows that it has not seen."""
    fidelity = surrogate.manifest["outcome"]["fidelity"]
    r2, agreement = fidelity.get("r2"), fidelity.get("agreement")
    if r2 is None:
        return "The model says the same of all rows: there is nothing for a tree to imitate."
    asked = counted(int((surrogate.feature >= 0).sum()), "question")
    how = f"fidelity R² {number(float(r2), 2)}"
    begin = f"A tree of {asked} follows the model's numbers ({how})"
    if agreement is not None:
        begin = f"A tree of {asked} decides like the model in {share(float(agreement))} of the "
        begin += f"rows it has not seen ({how})"
    if r2 >= TRUSTED:
        return f"{begin}."
    if r2 >= SKETCH:
        return f"{begin}: a sketch of the model, not more."
    return f"{begin}: too little to be trusted as an explanation."
