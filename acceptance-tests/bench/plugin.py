#!/usr/bin/env python3
"""plugin.py [ROUNDS]: what the protocol layer costs.

Start: seconds from the start of the process until its schemas are there (handshake, mutual TLS, GetProviderSchema, by core's
own library go-plugin), and its memory then. The release build, a provider of one resource that does nothing, and the same one
on HashiCorp's framework for Go.

Plan: `tofu plan` of 1,000 instances that do nothing, when none exist and when all do: OpenTofu's own `terraform_data`, which
needs no process, the same two providers.

Each round does everything once, in turn, so that whatever else the machine does hits all alike; figures are medians. A release
build, and tofu in PATH, have to be there: `make bench-plugin` sees to it.
"""
import os, resource, shutil, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "target", "release")
INSTANCES = 1000


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def table(head, rows):
    print(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def starts(rounds, start, binaries):
    figures = {name: [] for name in binaries}
    for _ in range(rounds):
        for name, binary in binaries.items():
            figures[name].append([int(figure) for figure in run(start, binary).split()])
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in figures.items()}
    table((f"start, {rounds} rounds", "ms to the schemas", "fastest", "ms of CPU", "MiB of memory", "KiB of schemas"),
          [(name, f"{time / 1000:.1f}", f"{min(row[0] for row in figures[name]) / 1000:.1f}", f"{cpu / 1000:.1f}",
            f"{memory / 1024:.1f}", f"{size / 1024:.1f}") for name, (time, cpu, memory, size) in medians.items()])
    ours, go = medians["noop"], medians["noop in Go"]
    print(f"\nGo / ours: {go[0] / ours[0]:.1f} times the time, {go[1] / ours[1]:.1f} times the CPU, {go[2] / ours[2]:.1f} times the memory")


class Leg:
    """A folder with 1,000 instances of one resource type, and what finds its provider."""
    def __init__(self, work, name, resource, binary=None):
        self.folder = os.path.join(work, name.replace(" ", "-"))
        os.mkdir(self.folder)
        needs = 'terraform {\n  required_providers {\n    noop = { source = "bench/noop" }\n  }\n}\n' if binary else ""
        with open(os.path.join(self.folder, "main.tf"), "w") as file:
            file.write(f'{needs}resource "{resource}" "x" {{\n  count = {INSTANCES}\n  input = "x${{count.index}}"\n}}\n')
        settings = os.path.join(self.folder, "cli.tfrc")
        with open(settings, "w") as file:
            if binary:
                os.mkdir(os.path.join(self.folder, "bin"))
                shutil.copy(binary, os.path.join(self.folder, "bin", "terraform-provider-noop"))
                file.write(f'provider_installation {{\n  dev_overrides {{ "registry.opentofu.org/bench/noop" = "{self.folder}/bin" }}\n  direct {{}}\n}}\n')
        self.environment = {**os.environ, "TF_CLI_CONFIG_FILE": settings, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        if not binary:
            self.tofu("init", "-input=false")

    def tofu(self, *arguments):
        """Seconds, and seconds of CPU, of tofu and the provider's processes."""
        begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        run("tofu", *arguments, cwd=self.folder, env=self.environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic() - begin, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    def plan(self):
        return self.tofu("plan", "-input=false", "-lock=false", "-out=plan.bin")


def plans(rounds, go):
    with tempfile.TemporaryDirectory() as work:
        legs = {"terraform_data": Leg(work, "builtin", "terraform_data"),
                "noop": Leg(work, "ours", "noop_data", os.path.join(RELEASE, "examples", "noop")),
                "noop in Go": Leg(work, "go", "noop_data", go)}
        rows = []
        for what in ("none exist", "all exist"):
            figures = {name: [] for name in legs}
            for number in range(rounds + 1):
                for name, leg in (list(legs.items()) if number % 2 else reversed(legs.items())):
                    figures[name].append(leg.plan())
            # the first round warms the caches
            medians = {name: [statistics.median(column) for column in zip(*rounds[1:])] for name, rounds in figures.items()}
            own = medians["terraform_data"]
            rows += [(f"{name}, {what}", f"{time:.2f}", f"{time / own[0]:.2f}", f"{cpu:.2f}", f"{cpu / own[1]:.2f}")
                     for name, (time, cpu) in medians.items()]
            for leg in legs.values() if what == "none exist" else ():
                leg.tofu("apply", "-input=false", "-auto-approve", "plan.bin")
        table((f"plan of {INSTANCES:,}, {rounds} rounds", "s", "/ terraform_data", "s of CPU", "/ terraform_data"), rows)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as built:
        run("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", built, "./provider", "./start", cwd=os.path.join(HERE, "go"))
        go, start = os.path.join(built, "provider"), os.path.join(built, "start")
        starts(2 * rounds, start, {"kafkastack": os.path.join(RELEASE, "terraform-provider-kafkastack"),
                                   "noop": os.path.join(RELEASE, "examples", "noop"), "noop in Go": go})
        plans(rounds, go)


if __name__ == "__main__":
    main()
