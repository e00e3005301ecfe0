"""Draws docs/demo.svg from the demo's own output.

    cargo build --release && python3 docs/picture.py      (needs: pip install rich)
"""
import io
import pathlib
import re
import subprocess

from rich.console import Console
from rich.text import Text

ROOT = pathlib.Path(__file__).resolve().parent.parent
demo = subprocess.run(
    [ROOT / "target/release/mirrorguard", "demo", "--color", "always", "--quiet"],
    check=True, capture_output=True, text=True, env={"COLUMNS": "118"},
).stdout
console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
console.print(Text("$ mirrorguard demo", style="bold"), "\n")
console.print(Text.from_ansi(demo.rstrip()))
svg = console.export_svg(title="mirrorguard demo", unique_id="demo")
# Fonts of the reader's own machine: a picture in a repository loads nothing.
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S).replace("Fira Code, monospace", "monospace")
(ROOT / "docs/demo.svg").write_text(svg)
