//! The harness tested by itself: what it says of a plan is what both tools do. Needs no cluster and no provider of ours.

use super::support::terraform::{Refresh, Tool, Workspace};
use super::support::with_both_tools;
use std::time::Duration;

fn one(value: &str) -> String {
    format!(
        "resource \"terraform_data\" \"one\" {{ input = \"{value}\" }}\noutput \"value\" {{ value = terraform_data.one.output }}\n"
    )
}

with_both_tools! {
    fn a_step_ends_in_two_empty_plans_and_a_change_is_named(tool: Tool) {
        let workspace = Workspace::new(tool, &one("a"));
        let plan = workspace.init().plan(Refresh::Yes);
        assert!(!plan.is_empty());
        assert_eq!(plan.change("terraform_data.one").actions, ["create"]);

        workspace.step(&one("a"));
        assert_eq!(workspace.output("value"), "a");
        assert_eq!(workspace.resource("terraform_data.one").unwrap()["input"], "a");

        workspace.configure(&one("b"));
        let plan = workspace.plan(Refresh::No);
        assert_eq!(plan.change("terraform_data.one").changed_attributes(), ["input", "output"]);
        assert_eq!(plan.outputs, ["value"]);
        assert!(plan.to_string().contains(r#"input: "a" -> "b""#), "{plan}");

        workspace.destroy();
        assert_eq!(workspace.resource("terraform_data.one"), None);
    }

    fn an_error_is_given_as_one_line(tool: Tool) {
        let broken = "resource \"terraform_data\" \"one\" {\n  input = \"a\"\n  lifecycle {\n    precondition {\n      \
            condition     = self.id == \"never\"\n      error_message = \"this is refused\"\n    }\n  }\n}\n";
        let workspace = Workspace::new(tool, &broken.replace("self.id", "terraform.workspace"));
        workspace.init();
        assert!(workspace.plan_expect_error().contains("this is refused"));
        assert!(workspace.apply_expect_error().contains("this is refused"));
    }

    fn an_interrupted_apply_ends_and_the_next_goes_on(tool: Tool) {
        let slow = "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" { command = \"echo begun; exec sleep 600\" }\n}\n";
        let workspace = Workspace::new(tool, slow);
        workspace.init();
        let mut apply = workspace.start_apply();
        apply.until("the command's first line", Duration::from_secs(30), |apply| apply.text().contains("begun").then_some(()));
        apply.interrupt();
        let text = apply.wait().failure("an interrupted apply");
        assert!(text.contains("nterrupt"), "{text}");
        workspace.step("resource \"terraform_data\" \"slow\" {}\n");
    }
}
