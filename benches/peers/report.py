#!/usr/bin/env python3
"""Prints what bench.py measured as Markdown, and judges the limits: exit code 1 when one is missed.

Figures are medians over the repeats; ratios are ratios of those medians. A limit that could not be
judged, because a target is not among the results, counts as missed, but for --partial.
"""
import argparse
import json
import re
import statistics
import sys

OURS, OURS_SMALL, PEER = "mirrorguard-1000", "mirrorguard-10", "peer-1000"
TIMES_LESS_CPU = {"idms-20": 4, "hostedcluster": 20, "idms-2000": 5}
MOST_GROWTH = 1.3
MOST_RESIDENT_MIB = 25
MOST_START_MS = 60
MARKED = re.compile(r"(<!-- figures -->\n).*(<!-- /figures -->)", re.DOTALL)


class Results:
    def __init__(self, path):
        with open(path) as file:
            rows = [json.loads(line) for line in file]
        self.machine = next(row for row in rows if row["row"] == "machine")
        self.starts, self.idle, self.runs = ([row for row in rows if row["row"] == kind] for kind in ("start", "idle", "run"))
        self.targets = list(dict.fromkeys(row["target"] for row in self.starts))
        self.settings = list(dict.fromkeys((row["case"], row["proto"], row["conc"]) for row in self.runs))

    def median(self, target, setting, key):
        """The median of a figure over the repeats, or None where the target was not measured."""
        values = [row[key] for row in self.runs
                  if row["target"] == target and (row["case"], row["proto"], row["conc"]) == setting]
        return statistics.median(values) if values else None

    def ratio(self, above, below, setting):
        """How many times the CPU per request of one target that of another is."""
        top, bottom = (self.median(target, setting, "server_cpu_us_per_req") for target in (above, below))
        return top / bottom if top is not None and bottom else None

    def ratios(self, above, below, case):
        """The same by concurrency, over HTTP/1.1."""
        found = {setting[2]: self.ratio(above, below, setting) for setting in self.settings if setting[:2] == (case, "h1")}
        return {concurrency: ratio for concurrency, ratio in found.items() if ratio is not None}

    def start_ms(self, target):
        return [row["ms"] for row in self.starts if row["target"] == target]

    def most_resident_mib(self, target):
        return max((row["rss_peak_kib"] / 1024 for row in self.runs if row["target"] == target), default=None)


class Limit:
    """What is allowed, what was measured, and whether that is kept (None: not measured)."""

    def __init__(self, what, allowed, measured, kept):
        self.what, self.allowed, self.measured, self.kept = what, allowed, measured, kept

    def row(self):
        verdict = {True: "kept", False: "**missed**", None: "not measured"}[self.kept]
        return [self.what, self.allowed, self.measured, verdict]


def limits(results):
    found = [times_less_cpu(results, case, times) for case, times in TIMES_LESS_CPU.items()]
    found += [growth(results, case) for case in TIMES_LESS_CPU]
    return found + [resident(results), start(results), errors(results)]


def loaded(ratios):
    """The ratios that a limit is about: one request at a time mostly measures being woken for each."""
    return [ratio for concurrency, ratio in ratios.items() if concurrency > 1] or list(ratios.values())


def by_concurrency(ratios, worst):
    each = ", ".join("%.2f at %d" % (ratio, concurrency) for concurrency, ratio in sorted(ratios.items()))
    return "%.2f (%s)" % (worst, each)


def times_less_cpu(results, case, times):
    what, allowed = "CPU per request, %s, peer ÷ mirrorguard, 1000 sets" % case, "at least %d" % times
    ratios = results.ratios(PEER, OURS, case)
    if not ratios:
        return Limit(what, allowed, "", None)
    worst = min(loaded(ratios))
    return Limit(what, allowed, by_concurrency(ratios, worst), worst >= times)


def growth(results, case):
    what, allowed = "CPU per request, %s, mirrorguard with 1000 ÷ 10 sets" % case, "at most %.1f" % MOST_GROWTH
    ratios = results.ratios(OURS, OURS_SMALL, case)
    if not ratios:
        return Limit(what, allowed, "", None)
    worst = max(loaded(ratios))
    return Limit(what, allowed, by_concurrency(ratios, worst), worst <= MOST_GROWTH)


def resident(results):
    what, allowed = "Most resident memory under load, 1000 sets", "at most %d MiB" % MOST_RESIDENT_MIB
    mib = results.most_resident_mib(OURS)
    return Limit(what, allowed, "", None) if mib is None else Limit(what, allowed, "%.1f MiB" % mib, mib <= MOST_RESIDENT_MIB)


def start(results):
    what, allowed = "Start to the first right answer, 1000 sets", "at most %d ms" % MOST_START_MS
    times = results.start_ms(OURS)
    if not times:
        return Limit(what, allowed, "", None)
    return Limit(what, allowed, spread(times) + " ms", statistics.median(times) <= MOST_START_MS)


def errors(results):
    wrong = {row["target"]: row["first_error"] for row in results.runs if row["errors"]}
    told = "; ".join("%s: %.200s" % pair for pair in wrong.items()) or "none"
    return Limit("Failed or wrong answers, all targets", "none", told, not wrong if results.runs else None)


def spread(values):
    return "%.0f (%.0f to %.0f)" % (statistics.median(values), min(values), max(values))


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def by_setting(results, cell, extra=()):
    """A table with a row for every case and concurrency and a column for every target."""
    rows = []
    for setting in results.settings:
        case, proto, concurrency = setting
        name = "%s, %d at a time%s" % (case, concurrency, ", HTTP/2" if proto == "h2" else "")
        cells = [cell(target, setting) for target in results.targets]
        rows.append([name, *cells, *(of(setting) for _, of in extra)])
    return table(["", *results.targets, *(title for title, _ in extra)], rows)


def figures(results, form, keys, unit=1, extra=()):
    def cell(target, setting):
        return " / ".join(form % (results.median(target, setting, key) / unit) for key in keys)
    return by_setting(results, cell, extra)


def quotient(value):
    return "–" if value is None else "%.2f" % value


def cpu_table(results):
    extra = [("peer ÷ mirrorguard, 1000 sets", lambda setting: quotient(results.ratio(PEER, OURS, setting))),
             ("mirrorguard, 1000 ÷ 10 sets", lambda setting: quotient(results.ratio(OURS, OURS_SMALL, setting)))]
    return figures(results, "%.0f", ["server_cpu_us_per_req"], extra=extra)


def footprint(results):
    rows = []
    for target in results.targets:
        binary = next(row["binary_bytes"] for row in results.starts if row["target"] == target)
        idle = statistics.median(row["resident_kib"] for row in results.idle if row["target"] == target)
        rows.append([target, "%.1f" % (binary / 2**20), spread(results.start_ms(target)), "%.1f" % (idle / 1024),
                     "%.1f" % results.most_resident_mib(target)])
    return table(["", "program, MiB", "start to first right answer, ms", "resident idle, MiB", "most under load, MiB"], rows)


def report(results, judged):
    machine = results.machine
    busiest = max(results.runs, key=lambda row: row["client_cpu_frac"])
    return "\n".join([
        "Measured on %s: %s, %d cores, Linux %s; peer: controller-runtime %s." % (
            machine["date"], machine["cpu"], machine["cores"], machine["kernel"], machine["controller_runtime"]),
        "Repeats: %d, of %g s a run; starts: %d. The load generator used at most %.0f %% of its core (%s, %s).\n" % (
            machine["repeats"], machine["secs"], machine["starts"], busiest["client_cpu_frac"] * 100,
            busiest["target"], busiest["case"]),
        "### Limits\n", table(["", "allowed", "measured", ""], [limit.row() for limit in judged]),
        "### Server CPU per request, µs\n", cpu_table(results),
        "### Requests per second\n", figures(results, "%.0f", ["rps"]),
        "### Latency, median / 99th percentile, ms\n", figures(results, "%.2f", ["p50_us", "p99_us"], 1000),
        "### Most resident memory under load, MiB\n", figures(results, "%.1f", ["rss_peak_kib"], 1024),
        "### Footprint\n", footprint(results)])


def write_docs(path, text):
    with open(path) as file:
        page = file.read()
    if not MARKED.search(page):
        sys.exit("report.py: %s has no region between <!-- figures --> and <!-- /figures -->" % path)
    with open(path, "w") as file:
        file.write(MARKED.sub(lambda found: found.group(1) + "\n" + text + "\n" + found.group(2), page))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--partial", action="store_true", help="do not count what was not measured as missed")
    parser.add_argument("--write-docs", metavar="FILE", help="also put the figures between the marks of this page")
    args = parser.parse_args()
    results = Results(args.results)
    judged = limits(results)
    text = report(results, judged)
    print(text)
    if args.write_docs:
        write_docs(args.write_docs, text)
    missed = [limit for limit in judged if limit.kept is False or (limit.kept is None and not args.partial)]
    for limit in missed:
        measured = limit.measured or "nothing"
        print("limit missed: %s: allowed %s, measured %s" % (limit.what, limit.allowed, measured), file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
