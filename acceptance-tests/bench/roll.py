#!/usr/bin/env python3
"""roll.py [ROUNDS]: one `tofu apply` that restarts three brokers, beside the sum of their single restarts, on one cluster in one run.

A single restart is `kubectl delete pod` of a broker until the kubelet calls it Ready again; between two the script waits, uncounted, until
Kafka says that nothing is under-replicated. The apply waits for that too, and its time counts whole, without its plan. Each round restarts
each broker by hand and then all by an apply of another heap. KUBECONFIG, and a release build, have to be there: `make bench-roll` sees to it.
"""
import json, os, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUICKSTART = os.path.join(ROOT, "examples", "quickstart")
SPACE, BROKERS = f"bench-roll-{os.getpid()}", ["kafka-0", "kafka-1", "kafka-2"]
QUIET = "unset JMX_PORT KAFKA_OPTS; export KAFKA_HEAP_OPTS=-Xmx128M LOG_DIR=/tmp PATH=$PATH:/opt/kafka/bin; "
BEHIND = "kafka-topics.sh --bootstrap-server kafka:9092 --describe --under-replicated-partitions"


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def kubectl(*arguments):
    return run("kubectl", "-n", SPACE, *arguments)


def until_whole():
    while kubectl("exec", "statefulset/kafka", "--", "bash", "-c", QUIET + BEHIND).strip():
        time.sleep(0.5)


def restarted(broker):
    """Seconds of one restart by hand."""
    begin = time.monotonic()
    kubectl("delete", "pod", broker, "--wait")
    kubectl("wait", "--for=create", f"pod/{broker}", "--timeout=60s")
    kubectl("wait", "--for=condition=Ready", f"pod/{broker}", "--timeout=300s")
    seconds = time.monotonic() - begin
    until_whole()
    return seconds


def rolled(folder, heap):
    """Seconds of one apply that restarts every broker."""
    settings = ("-input=false", f"-var=namespace={SPACE}", f"-var=heap={heap}", "-var=deletion_protection=false")
    run("tofu", "plan", "-out=roll.bin", *settings, cwd=folder)
    before = json.loads(kubectl("get", "pods", "-o", "json"))["items"]
    begin = time.monotonic()
    run("tofu", "apply", "-input=false", "roll.bin", cwd=folder)
    seconds = time.monotonic() - begin
    after = {pod["metadata"]["uid"] for pod in json.loads(kubectl("get", "pods", "-o", "json"))["items"]}
    gone = sorted(pod["metadata"]["name"] for pod in before if pod["metadata"]["uid"] not in after)
    assert gone in ([], BROKERS), gone
    return seconds


def main():
    rounds, ratios = int(sys.argv[1]) if len(sys.argv) > 1 else 3, []
    with tempfile.TemporaryDirectory() as work:
        settings = os.path.join(work, "cli.tfrc")
        binary = os.path.join(ROOT, "target", "release", "terraform-provider-kafkastack")
        run(os.path.join(ROOT, "acceptance-tests", "support", "mirror.sh"), binary, os.path.join(work, "mirror"), settings)
        os.environ.update(TF_CLI_CONFIG_FILE=settings, TF_IN_AUTOMATION="1")
        for name in os.listdir(QUICKSTART):
            if name.endswith(".tf"):
                os.symlink(os.path.join(QUICKSTART, name), os.path.join(work, name))
        run("tofu", "init", "-input=false", cwd=work)
        try:
            rolled(work, "512m")
            for number in range(rounds):
                single = [restarted(broker) for broker in BROKERS]
                roll = rolled(work, f"{500 - number}m")
                ratios.append(roll / sum(single))
                by_hand = " + ".join(f"{one:.1f}" for one in single)
                print(f"round {number + 1}: by hand {by_hand} = {sum(single):.1f} s, one apply {roll:.1f} s: {ratios[-1]:.2f}", flush=True)
        finally:
            subprocess.run(["kubectl", "-n", SPACE, "delete", "statefulset,pod", "--all", "--grace-period=0", "--force"], capture_output=True)
            subprocess.run(["kubectl", "delete", "namespace", SPACE, "--ignore-not-found", "--timeout=180s"], capture_output=True)
    print(f"\nmedian of an apply / the sum of single restarts = {statistics.median(ratios):.2f} (at most 1.3)")


if __name__ == "__main__":
    main()
