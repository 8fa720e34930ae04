//! The module in examples/module: its own tests with both tools, and one run of it on a real cluster.

use super::support::cluster::{Cluster, Namespace};
use super::support::terraform::{Tool, Workspace};
use super::support::with_both_tools;
use std::fs;
use std::path::Path;

fn module(tool: Tool) -> Workspace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/module");
    let workspace = Workspace::copy_of(tool, &folder);
    for tests in ["tests", "tests/real"] {
        fs::create_dir(workspace.path().join(tests)).unwrap();
        for entry in fs::read_dir(folder.join(tests)).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), workspace.path().join(tests).join(entry.file_name())).unwrap();
            }
        }
    }
    workspace.init();
    workspace
}

with_both_tools! {
    fn the_module_passes_its_own_tests(tool: Tool) {
        if Cluster::find("the tests of the module").is_none() {
            return;
        }
        let said = module(tool).run(&["test"]).success("test");
        assert!(said.contains("9 passed, 0 failed"), "{said}");
    }
}

#[test]
fn the_module_makes_a_stack_that_passes_its_drill() {
    let Some((cluster, _)) = Cluster::find_sandbox("the module") else { return };
    let namespace = Namespace::reserve(cluster, "module");
    let workspace = module(Tool::OpenTofu).with_cluster(cluster);
    workspace.run(&["init", "-input=false", "-test-directory=tests/real"]).success("init");
    let said =
        workspace.run(&["test", "-test-directory=tests/real", &format!("-var=namespace={}", namespace.name)]).success("test");
    assert!(said.contains("2 passed, 0 failed"), "{said}");
}
