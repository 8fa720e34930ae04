#!/usr/bin/env python3
"""apply.py [ROUNDS]: `tofu apply` of the quickstart beside `kubectl apply` of the same objects, both until everything is Ready.

The objects are the ones that the first `tofu apply` made, read from the live cluster and put into another namespace. Each round
does both, each in a namespace of its own that is deleted before the next begins; every second round does them the other way
round. `tofu apply` also makes the topic, which `kubectl apply` cannot. Brokers wait up to 5 s to be told their zone, and nobody
tells those of `kubectl apply`: it is done once more with brokers that do not wait, and the ratio is that to the faster one.
KUBECONFIG, and a release build, have to be there: `make bench` sees to it.
"""
import json, os, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUICKSTART = os.path.join(ROOT, "examples", "quickstart")
KINDS = "configmaps,secrets,serviceaccounts,services,poddisruptionbudgets,statefulsets"
MADE_BY_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "ownerReferences", "selfLink")


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def cleaned(item):
    """An object as its author would have written it."""
    item.pop("status", None)
    for name in MADE_BY_THE_SERVER:
        item["metadata"].pop(name, None)
    spec = item.get("spec", {})
    if item["kind"] == "Service" and spec.get("clusterIP") != "None":
        for name in ("clusterIP", "clusterIPs"):
            spec.pop(name, None)
    return item


def objects(namespace, other):
    """The live objects of one namespace as a manifest for another one, which comes first."""
    def from_the_cluster(item):   # made in every namespace by Kubernetes itself
        return item["metadata"]["name"] in ("kube-root-ca.crt", "default") and item["kind"] in ("ConfigMap", "ServiceAccount")
    items = json.loads(run("kubectl", "-n", namespace, "get", KINDS, "-o", "json"))["items"]
    items = [cleaned(item) for item in items if not from_the_cluster(item)]
    first = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": [first, *items]}, indent=1)
    return manifest.replace(namespace, other)      # host names too


def without_zones(manifest):
    """The same with brokers that do not wait for a zone."""
    wanted = json.loads(manifest)
    for item in wanted["items"]:
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            for variable in container.get("env", []):
                if variable["name"] == "KAFKASTACK_ZONE_WAIT":
                    variable["value"] = "0"
    return json.dumps(wanted)


def removed(namespace):
    # at once: brokers whose ensemble goes first would take their whole grace period to stop
    run("kubectl", "-n", namespace, "delete", "statefulset,pod", "--all", "--grace-period=0", "--force")
    run("kubectl", "delete", "namespace", namespace, "--wait", "--timeout=180s")


def with_tofu(namespace, work):
    """Seconds of one `tofu apply`. Init is not part of it."""
    folder = tempfile.mkdtemp(dir=work)
    for name in os.listdir(QUICKSTART):
        if name.endswith(".tf"):
            os.symlink(os.path.join(QUICKSTART, name), os.path.join(folder, name))
    run("tofu", "init", "-input=false", cwd=folder)
    begin = time.monotonic()
    run("tofu", "apply", "-input=false", "-auto-approve", f"-var=namespace={namespace}", cwd=folder)
    return time.monotonic() - begin


def with_kubectl(namespace, manifest):
    """Seconds of one `kubectl apply` until every StatefulSet is complete."""
    begin = time.monotonic()
    run("kubectl", "apply", "-f", "-", input=manifest)
    # not `rollout status`: it knows nothing of updateStrategy OnDelete
    for item in json.loads(run("kubectl", "-n", namespace, "get", "statefulsets", "-o", "json"))["items"]:
        ready = f"--for=jsonpath={{.status.readyReplicas}}={item['spec']['replicas']}"
        run("kubectl", "-n", namespace, "wait", f"statefulset/{item['metadata']['name']}", ready, "--timeout=300s")
    return time.monotonic() - begin


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    tag = os.getpid()
    tofu_space, kubectl_space = f"bench-t-{tag}", f"bench-k-{tag}"
    seconds = {"tofu apply": [], "kubectl apply": [], "kubectl apply, no zones": []}
    with tempfile.TemporaryDirectory() as work:
        settings = os.path.join(work, "cli.tfrc")
        binary = os.path.join(ROOT, "target", "release", "terraform-provider-kafkastack")
        run(os.path.join(ROOT, "acceptance-tests", "support", "mirror.sh"), binary, os.path.join(work, "mirror"), settings)
        os.environ.update(TF_CLI_CONFIG_FILE=settings, TF_IN_AUTOMATION="1")

        with_tofu(tofu_space, work)                # not counted: warms the caches, and makes the objects
        manifest = objects(tofu_space, kubectl_space)
        removed(tofu_space)

        def one_tofu():
            seconds["tofu apply"].append(with_tofu(tofu_space, work))
            removed(tofu_space)

        def one_kubectl(leg, objects):
            seconds[leg].append(with_kubectl(kubectl_space, objects))
            removed(kubectl_space)

        legs = [one_tofu, lambda: one_kubectl("kubectl apply", manifest),
                lambda: one_kubectl("kubectl apply, no zones", without_zones(manifest))]
        for number in range(rounds):
            for leg in legs if number % 2 == 0 else reversed(legs):
                leg()
            print(f"round {number + 1}: " + ", ".join(f"{name} {values[-1]:.1f} s" for name, values in seconds.items()), flush=True)

    print(f"\n| {rounds} rounds, seconds to Ready | min | median | max |\n| --- | --- | --- | --- |")
    for name, values in seconds.items():
        print(f"| {name} | {min(values):.1f} | {statistics.median(values):.1f} | {max(values):.1f} |")
    tofu, *kubectl = (statistics.median(values) for values in seconds.values())
    print(f"\nmedian of tofu apply / lower median of kubectl apply = {tofu / min(kubectl):.2f}")


if __name__ == "__main__":
    main()
