"""`python -m reports check FILE` and `render FILE [-o OUT]`, for a results.json at hand; `diff A B [-o OUT]`, for two;
`table [--write]` and `picture FILE`, for README and the guide to the claims."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fixtures.plain.command_line import Parser, end
from fixtures.plain.files import write_in_one_step
from fixtures.plain.text import counted, one_line
from fixtures.verdict.gate import BaselineError

from .browser import BrowserError
from .check import ResultsError, load


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 fine, 1 the file is bad or cannot be written, 2 usage."""
    parser = Parser(prog="python -m reports", description="Checks or renders what a run of the claims recorded.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="check|render|diff|table|picture")
    checks = commands.add_parser("check", help="verify that a results.json has its shape and that its verdicts follow")
    renders = commands.add_parser("render", help="make the HTML report of a results.json")
    diffs = commands.add_parser("diff", help="which verdicts and estimates differ between two results.json")
    for name in ("first", "second"):
        diffs.add_argument(name, type=Path, metavar=name.upper(), help="a results.json")
    diffs.add_argument("-o", "--output", type=Path, metavar="OUT", help="write the same as a page, too")
    diffs.add_argument(
        "--rows",
        action="store_true",
        help="row by row and to the last digit instead; exit code 1 where a row differs, for changes that may alter nothing",
    )
    tables = commands.add_parser(
        "table", help="the answer and the verdicts of the recorded baseline, as Markdown tables"
    )
    tables.add_argument(
        "--write", action="store_true", help="put them between their markers in the files, instead of printing them"
    )
    tables.add_argument(
        "--file", type=Path, metavar="FILE", help="the file to write to (README.md and claims/README.md)"
    )
    tables.add_argument("--baseline", type=Path, metavar="PATH", help="the recorded verdicts (reports/baseline.json)")
    pictures = commands.add_parser("picture", help="photograph the first screen of a results.json's report, for README")
    pictures.add_argument("-o", "--output", type=Path, metavar="OUT", help="where to (reports/measured/report.png)")
    for command in (checks, renders, pictures):
        command.add_argument("file", type=Path, metavar="FILE", help="a results.json")
    renders.add_argument("-o", "--output", type=Path, metavar="OUT", help="where to write (report.html beside FILE)")
    options = parser.parse_args(arguments)
    if options.command == "table":
        return _table(options)
    try:
        if options.command == "diff":
            return _diff(options)
        results = load(options.file)
        if options.command == "check":
            claims, rows = len(results["claims"]), len(results["evidence"])
            print(f"{options.file}: {counted(claims, 'claim')} and {counted(rows, 'row')}, verdicts follow")
            return 0
        if options.command == "picture":
            from . import picture

            output = options.output or picture.FILE
            write_in_one_step(output, picture.take(results))
            print(output)
            return 0
        from .render import render

        output = options.output or options.file.with_name("report.html")
        write_in_one_step(output, render(results))
        print(output)
        return 0
    except (ResultsError, BrowserError) as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:  # of whoever reads the output
        raise
    except OSError as error:
        print(f"{error.filename or 'output'}: cannot be written ({error.strerror})", file=sys.stderr)
    return 1


def _diff(options: argparse.Namespace) -> int:
    from . import diff

    first, second = load(options.first), load(options.second)
    if options.rows:
        told = diff.rows_apart(first, second)
        rows = [len(results["evidence"]) for results in (first, second)]
        last = f"ROWS: {counted(len(told), 'difference')} between {rows[0]} and {rows[1]} rows"
        print("\n".join([*map(one_line, told), last]))
        return int(bool(told))
    found = diff.compared(first, second)
    page = diff.page(found, first, second) if options.output else ""
    print("\n".join(map(one_line, found.lines)))
    if options.output:
        write_in_one_step(options.output, page)
        print(options.output)
    return 0


def _table(options: argparse.Namespace) -> int:
    from . import table

    files = [options.file] if options.file else list(table.FILES.values())
    try:
        new = table.blocks(options.baseline or table.ROOT / "reports/baseline.json")
        for file in files if options.write else ():
            print(f"{file}: {'written' if table.write(file, new) else 'as it was'}")
        if not options.write:
            print("\n\n".join(new.values()))
        return 0
    except (table.TableError, BaselineError) as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:  # of whoever reads the output
        raise
    except OSError as error:
        print(f"{error.filename or 'output'}: {error.strerror}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    end(main)
