//! Two runs on one cluster, two clusters in one chroot, and a cluster that grows: what the second would take from the first stays.

use super::support::site::{CLUSTER, Site, blocks, with};
use super::support::terraform::{Refresh, Tool, Workspace};
use super::support::with_both_tools_at_length;
use std::time::Duration;

with_both_tools_at_length! {
    fn of_two_runs_at_once_the_second_is_refused(tool: Tool) {
        let Some(site) = Site::find(tool, "two runs at once", "turns", false) else { return };
        let text = site.stack.text();
        let mut first = site.workspace.start_apply();
        first.until("the first one's brokers", Duration::from_secs(120), |_| {
            site.names("statefulsets").contains(&"statefulset.apps/kafka".to_owned()).then_some(())
        });
        // A state of its own, and a configuration that would restart what the first one makes.
        let second = Workspace::new(tool, &with(&text, "\"256m\"", "\"260m\"")).with_cluster(site.cluster);
        let said = second.init().apply_expect_error();
        assert!(said.contains("Another run is at work on it") || said.contains("It exists already"), "{said}");
        first.wait().success("the first apply");
        site.workspace.assert_settled();
        site.produce("before");
        // While a change restarts the broker, neither another change nor a destroy begins.
        let changed = with(&text, "\"256m\"", "\"260m\"");
        site.workspace.configure(&changed);
        let (pods, state) = (site.uids(&["pods"]), site.workspace.path().join("terraform.tfstate"));
        std::fs::copy(&state, second.path().join("terraform.tfstate")).expect("the state can be copied");
        second.run(&["state", "rm", "kafkastack_topic.test1"]).success("state rm");
        let mut first = site.workspace.start_apply();
        first.until("the restart", Duration::from_secs(120), |_| (site.uids(&["pods"]) != pods).then_some(()));
        let said = second.destroy_expect_error();
        assert!(said.contains("Another run is at work on it"), "{said}");
        first.wait().success("the change");
        site.workspace.assert_settled();
        site.records_are_there("before");
        site.workspace.destroy();
    }

    fn a_chroot_is_one_clusters_and_one_that_grows_stays_writable(tool: Tool) {
        let Some(site) = Site::find(tool, "a chroot of one cluster", "chroot", false) else { return };
        let text = site.stack.text();
        site.workspace.step(&text);
        site.produce("before");
        let [.., cluster, _] = blocks(&text);
        let second = with(&with(&cluster, "\"kafka\" {", "\"other\" {"), "name      = \"kafka\"", "name      = \"other\"");
        site.workspace.configure(&(text.clone() + &second));
        assert!(site.workspace.run(&["plan", "-input=false"]).success("plan").contains("Another cluster lives in this chroot"));
        let said = site.workspace.apply_expect_error();
        assert!(said.contains("Another cluster lives in this chroot"), "{said}");
        assert_eq!(site.names("statefulsets"), ["statefulset.apps/kafka", "statefulset.apps/zookeeper"]);
        assert_eq!(site.stack.registered(site.cluster).trim(), "id: 0");
        site.workspace.step(&text);
        // Two of three have to be in sync from now on, and the topic has one replica.
        let grown = with(&text, "brokers   = 1", "brokers   = 3");
        site.workspace.configure(&grown);
        let plan = site.workspace.plan(Refresh::Yes);
        assert_eq!(plan.change(CLUSTER).actions, ["update"]);
        site.workspace.step(&grown);
        site.produce("after");
        site.records_are_there("before");
        site.records_are_there("after");
        site.workspace.destroy();
    }
}
