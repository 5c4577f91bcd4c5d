#!/usr/bin/env python3
"""Keeps what the book shows true: runs its commands, and compares what they print with what the pages hold.

    python3 docs/refresh.py                    # status 1 if a page shows something else than the program prints
    python3 docs/refresh.py --write            # writes what the program prints into the pages
    python3 docs/refresh.py use/tour README    # these pages only
    python3 docs/refresh.py --figures          # draws docs/figures again (half an hour)

Needs target/release/simulate (or --simulate PATH) and nothing beside Python's standard library. A page is run from top
to bottom in a folder of its own:

- a block of `toml` below <!-- file: NAME --> becomes that file;
- a block of `sh` is run, unless <!-- not run: REASON --> stands above it;
- a block of `text` below <!-- output --> is what the block of `sh` before it printed, below <!-- output, lines A to B -->
  a part of it;
- what stands between <!-- WHAT: `simulate explain --markdown TABLE` --> and <!-- end --> is a table that it prints.

Times and sizes differ from run to run, so two texts are equal if they differ in nothing else."""

import argparse, os, re, shutil, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECONDS = 600
WIDTH = 540
VARIES = re.compile(r"(\b(about|less than) )?\b[0-9][0-9.,]* (ms|s|min|h|MB)\b")
OUTPUT = re.compile(r"<!-- output(?:, lines (\d+) to (\d+))? -->")
TABLE = re.compile(r"(<!-- [^:>]+: `simulate (explain --markdown [a-z]+)` -->\n).*?(<!-- end -->)", re.S)
# Each figure, the simulation that draws it, and the name that the program gives it.
FIGURES = [
    ("norm-change.svg", "run default", "default/figures/norm-change.svg"),
    ("pruning.svg", "run default", "default/figures/pruning.svg"),
    ("phase-loudness.svg", "run phase-loudness --seeds 60", "phase-loudness/figures/phase-1-T2a.svg"),
    ("textures.svg", "run textures", "textures/figures/phase-1-built.svg"),
    ("losses.svg", "run losses", "losses/figures/phase-3-bounded-logistic-logistic.svg"),
    ("dictionaries.svg", "run orthogonality", "orthogonality/figures/phase-1-T2a-common.svg"),
    ("digits.svg", "run digits", "digits/figures/pruning-point-0.svg"),
    ("scaling.svg", "run theorem1 --seeds 40 --set data.patterns=[64,128,256,512]",
     "theorem1/figures/scaling-linear.svg"),
]


def pages(names):
    """The README and all pages of the book, or those that are named."""
    found = [os.path.join(ROOT, "README.md")]
    for folder, _, files in sorted(os.walk(os.path.join(ROOT, "docs"))):
        found += [os.path.join(folder, file) for file in sorted(files) if file.endswith(".md")]
    return [page for page in found if not names or any(page.endswith(name + ".md") for name in names)]


def comparable(text):
    """The text without what differs from run to run."""
    lines = (VARIES.sub("#", line).rstrip() for line in text.strip("\n").split("\n"))
    return "\n".join(lines)


def call(command, folder, simulate):
    """What a command of a page prints; its failure ends the check."""
    environment = os.environ | {"RAYON_NUM_THREADS": "2", "NO_COLOR": "1", "COLUMNS": "80"}
    environment["PATH"] = os.path.dirname(simulate) + os.pathsep + environment["PATH"]
    command = command.replace("cargo run --release --bin simulate --", "simulate")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
    return done.returncode, done.stdout + done.stderr


class Page:
    """One page: its lines as they shall be, and what was wrong."""

    def __init__(self, path, simulate):
        self.path, self.simulate, self.wrong, self.ran = path, simulate, [], 0
        with open(path, encoding="utf-8") as file:
            self.text = file.read()

    def blocks(self):
        """Runs the page's blocks in turn."""
        lines, made, mark, printed = self.text.split("\n"), [], "", ""
        folder = tempfile.mkdtemp()
        at = 0
        while at < len(lines):
            line = lines[at]
            opened = re.fullmatch(r"```([a-z]+)", line)
            if not opened:
                mark = line if line.startswith("<!--") else mark if not line else ""
                made.append(line)
                at += 1
                continue
            end = next((i for i in range(at + 1, len(lines)) if lines[i] == "```"), None)
            if end is None:
                sys.exit(f"{self.path}:{at + 1}: this block has no end")
            body = lines[at + 1 : end]
            if opened[1] == "toml" and (name := re.fullmatch(r"<!-- file: ([\w.-]+) -->", mark)):
                with open(os.path.join(folder, name[1]), "w", encoding="utf-8") as file:
                    file.write("\n".join(body) + "\n")
            if opened[1] == "sh" and not mark.startswith("<!-- not run: "):
                printed = self.run("\n".join(body), folder, at + 1)
            if opened[1] == "text" and (part := OUTPUT.fullmatch(mark)):
                body = self.shown(body, printed, part, at + 1)
            made += [line, *body, "```"]
            mark, at = "", end + 1
        shutil.rmtree(folder)
        self.text = "\n".join(made)

    def run(self, command, folder, line):
        self.ran += 1
        status, printed = call(command, folder, self.simulate)
        if status:
            self.wrong.append(f"{line}: status {status} of {command!r}: {printed.strip()[-300:]}")
        return printed

    def shown(self, body, printed, part, line):
        """The block that shows what was printed: as it stands if only times differ."""
        fresh = [text.rstrip() for text in printed.strip("\n").split("\n")]
        if part[1]:
            fresh = fresh[int(part[1]) - 1 : int(part[2])]
        if comparable("\n".join(body)) == comparable("\n".join(fresh)):
            return body
        self.wrong.append(f"{line}: the program prints something else")
        return fresh

    def tables(self):
        """Makes the page's tables again."""

        def fresh(found):
            status, printed = call("simulate " + found[2], ROOT, self.simulate)
            start = printed.find(found[1])
            end = printed.find(found[3], start)
            if status or start < 0 or end < 0:
                self.wrong.append(f"no table {found[1].strip()}: {printed.strip()[:200]}")
                return found[0]
            table = printed[start : end + len(found[3])]
            if table != found[0]:
                self.wrong.append(f"another table {found[1].strip()}")
            return table

        self.text = TABLE.sub(fresh, self.text)


def draw(simulate):
    """Draws the figures of the book."""
    with tempfile.TemporaryDirectory() as folder:
        for command in dict.fromkeys(command for _, command, _ in FIGURES):
            subprocess.run([simulate, *command.split(), "--quiet", "--figures", "svg"], cwd=folder, check=True)
        for name, _, made in FIGURES:
            with open(os.path.join(folder, "results", made), encoding="utf-8") as file:
                drawing = for_a_page(file.read())
            with open(os.path.join(ROOT, "docs/figures", name), "w", encoding="utf-8") as file:
                file.write(drawing)


def for_a_page(drawing):
    """The drawing in the size of a page on a screen, on white: pages may be dark."""
    head, rest = drawing.split(">", 1)
    head = re.sub(r' width="[^"]*" height="[^"]*"', f' width="{WIDTH}"', head)
    return f'{head}><rect width="100%" height="100%" fill="#ffffff"/>{rest}'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", help="pages, such as use/tour; all without")
    parser.add_argument("--write", action="store_true", help="write what the program prints into the pages")
    parser.add_argument("--figures", action="store_true", help="draw the figures, and nothing else")
    parser.add_argument("--simulate", default=os.path.join(ROOT, "target/release/simulate"))
    arguments = parser.parse_args()
    simulate = os.path.abspath(arguments.simulate)
    if arguments.figures:
        return draw(simulate)
    ran, wrong = 0, 0
    for path in pages(arguments.pages):
        page = Page(path, simulate)
        before = page.text
        page.tables()
        page.blocks()
        ran += page.ran
        wrong += len(page.wrong)
        for message in page.wrong:
            print(f"{os.path.relpath(path, ROOT)}: {message}")
        if arguments.write and page.text != before:
            with open(path, "w", encoding="utf-8") as file:
                file.write(page.text)
    print(f"{ran} blocks of commands run, {wrong} things differ")
    sys.exit(1 if wrong and not arguments.write else 0)


if __name__ == "__main__":
    main()
