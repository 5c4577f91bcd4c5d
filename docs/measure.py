#!/usr/bin/env python3
"""Writes what result folders say as pages of the book, one a folder: docs/measured/VERSION/runs/NAME.md.

    simulate run default
    python3 docs/measure.py results/default results/theorem1

A page holds the command, revision, master seed and machine, then the tables of verdicts, exponents, terms, flips and
assumptions from the CSV files. A folder of another version makes a page beside those of the versions before. Needs
nothing beside Python's standard library. The machine is the one that this is called on, unless --machine names it."""

import argparse, csv, json, os, platform, re, sys, textwrap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# File, heading, and the columns that a page shows of it.
TABLES = [
    ("claims.csv", "Verdicts", "claim case line point against feature on runs set_aside holds estimate ci_low ci_high "
                               "threshold median verdict expected missed"),
    ("scaling.csv", "Exponents of d", "case line figure span method runs slope ci_low ci_high theory constant"),
    ("terms.csv", "What moves an irrelevant router", "case patterns batch runs noise_squared drift_squared "
                                                     "leakage_squared binding bound_binding"),
    ("boundary.csv", "Where claims flip", "map case claim x_key y_key y level direction flip low high remark"),
    ("assumptions.csv", "Assumptions met", "case assumption runs met share ci_low ci_high"),
]


def shown(cell):
    """A cell as a reader wants it: three digits of a fraction, whole numbers and texts as they are."""
    try:
        number = float(cell)
    except ValueError:
        return cell.replace("|", "\\|")
    digits = cell if cell.lstrip("-").isdigit() else f"{number:.3g}"
    return digits.replace("-", "−")


def table(path, columns):
    """The rows of a CSV file in Markdown, without columns that are empty in all of them; nothing without rows."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in columns.split() if any(row.get(name) for row in rows)]
    if not rows or not columns:
        return ""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(shown(row[name]) for name in columns) + " |" for row in rows]
    return "\n".join(lines)


def machine():
    """Processor and number of cores."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        models = []
    return f"{models[0] if models else name}, {os.cpu_count()} cores"


def command(manifest):
    """The command that makes the folder again."""
    words = ["simulate run", manifest["name"], f"--seed {manifest['master_seed']}"]
    words += [f"--seeds {manifest['seeds_given']}"] if manifest["seeds_given"] is not None else []
    words += ["--until-decided"] if manifest["sequential_block"] else []
    words += [f"--set '{override}'" for override in manifest["overrides"]]
    return " ".join(words)


def page(folder, manifest, where):
    """The page of one folder."""
    runs = sum(point["seeds"] for point in manifest["points"])
    parts = [
        f"# {manifest['name']}: what came out?",
        f"You get the tables of `{manifest['name']}` as its CSV files hold them.\n"
        + textwrap.fill(manifest["aims"], 100),
        f"<!-- not run: docs/measure.py makes this page -->\n```sh\n{command(manifest)}\n```",
        f"| version | revision | master seed | points | runs | machine |\n|---|---|---|---|---|---|\n"
        f"| {manifest['version']} | `{manifest['revision'][:12]}` | {manifest['master_seed']} "
        f"| {len(manifest['points'])} | {runs} | {where} |",
    ]
    for name, heading, columns in TABLES:
        path = os.path.join(folder, name)
        if os.path.exists(path) and (text := table(path, columns)):
            parts.append(f"## {heading}\n\n{text}")
    parts.append("[Columns](../../../reference/columns.md) says what each column means.")
    return "\n\n".join(parts) + "\n"


def list_in_summary(pages):
    """Lists pages in SUMMARY.md below the page of their version, behind its pages in words."""
    path = os.path.join(ROOT, "docs/SUMMARY.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for version, name in pages:
        line = f"  - [Tables of `{name}`](measured/{version}/runs/{name}.md)\n"
        above = f"- [Version {version}](measured/{version}/index.md)\n"
        if above not in text:
            sys.exit(f"docs/SUMMARY.md: no line {above.strip()}: write the version's page first")
        if line not in text:
            start = text.index(above) + len(above)
            listed = re.match(r"(?:  - .*\n)*", text[start:])[0]
            tables = sorted([line, *(old for old in listed.splitlines(True) if old.startswith("  - [Tables of "))])
            words = [old for old in listed.splitlines(True) if old not in tables]
            text = text[:start] + "".join(words + tables) + text[start + len(listed):]
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="result folders")
    parser.add_argument("--machine", default=machine(), help="the machine that the folders were made on")
    arguments = parser.parse_args()
    pages = []
    for folder in arguments.folders:
        try:
            with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
                manifest = json.load(file)
        except (OSError, ValueError) as error:
            sys.exit(f"{folder}: no result folder: {error}")
        if not manifest["files_sha256"]:
            sys.exit(f"{folder}: its runs are not complete")
        target = os.path.join(ROOT, "docs/measured", manifest["version"], "runs", manifest["name"] + ".md")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(page(folder, manifest, arguments.machine))
        pages.append((manifest["version"], manifest["name"]))
    list_in_summary(pages)


if __name__ == "__main__":
    main()
