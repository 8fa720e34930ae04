//! Storage that the provider makes: used by an ensemble in the same apply, and never removed under data.

use super::support::cluster::{Cluster, Namespace};
use super::support::stack::Stack;
use super::support::terraform::{Tool, Workspace};
use super::support::with_both_tools;

const STORAGE: &str = "kafkastack_storage.disks";

fn storage(name: &str) -> String {
    format!(
        r#"terraform {{
  required_providers {{ kafkastack = {{ source = "kafkastack/kafkastack" }} }}
}}
resource "kafkastack_storage" "disks" {{
  name           = "{name}"
  provisioner    = "sandbox.local/directory"
  reclaim_policy = "Delete"
}}
"#
    )
}

with_both_tools! {
    fn a_class_is_made_used_imported_and_kept_while_claims_are_bound(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("storage") else { return };
        let namespace = Namespace::reserve(cluster, "storage");
        let class = storage(&namespace.name);
        let ensemble = Stack { size: 1, protected: false, ..Stack::new(&namespace.name, "") }.ensemble();
        let (_, ensemble) = ensemble.split_once("}\nresource").unwrap();
        let with_class = ensemble.replace("size = \"1Gi\"", "size = \"1Gi\", class = kafkastack_storage.disks.class_name");
        let workspace = Workspace::new(tool, &class).with_cluster(cluster);
        workspace.init();
        workspace.step(&format!("{class}resource{with_class}"));
        assert_eq!(workspace.resource(STORAGE).unwrap()["class_name"], namespace.name.as_str());

        let empty = Workspace::new(tool, &class).with_cluster(cluster);
        empty.init();
        empty.import(STORAGE, &namespace.name);
        empty.assert_settled();

        workspace.configure(&format!("{}resource{with_class}", class.replace("\"Delete\"", "\"Retain\"")));
        let refused = workspace.plan_expect_error();
        assert!(refused.contains("data-zookeeper-0"), "a replacement is a removal: {refused}");

        workspace.step(&class);
        let refused = workspace.destroy_expect_error();
        assert!(refused.contains("data-zookeeper-0"), "{refused}");
        cluster.kubectl(&["-n", &namespace.name, "delete", "pvc", "data-zookeeper-0", "--wait"]);
        workspace.destroy();
        assert!(cluster.try_kubectl(&["get", "storageclass", &namespace.name]).is_err());
    }
}
