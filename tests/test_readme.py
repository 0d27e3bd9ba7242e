"""What the README shows works as it stands there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_code_runs_and_its_model_is_personal():
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    # Fewer passes than the default would take; everything else as it stands there.
    model = 'placement="last", random_state=0'
    assert code.count(model) == 1
    names: dict = {}
    exec(code.replace(model, f"{model}, epochs=150"), names)
    observed = names["test"].y
    error = {key: ((names[key] - observed) ** 2).mean() for key in ("predicted", "population")}
    assert error["predicted"] < 0.6 * error["population"]


def test_files_that_are_linked_exist():
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT)
    assert "docs/transitions.png" in links
    assert all((ROOT / link).is_file() for link in links)
