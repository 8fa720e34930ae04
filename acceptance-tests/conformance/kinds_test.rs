//! Data sources, ephemeral resources and functions under both cores; actions under the one that has them.

use super::world::{World, cores, everywhere};

const PAIR: &str = r#"
resource "conformance_object" "x" {
  name = "x"
  tags = ["a", "b"]
}
data "conformance_object" "x" {
  name = conformance_object.x.name
}
output "found" {
  value = "${data.conformance_object.x.id} ${join(",", data.conformance_object.x.tags)} ${data.conformance_object.x.unit}"
}
"#;

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_data_source_is_read_and_fails_with_its_reason() {
    everywhere(|world| {
        world.config(PAIR).apply();
        world.settled();
        assert_eq!(world.ok(&["output", "-raw", "found"]).trim(), "id-x a,b piece");
        world.config("data \"conformance_object\" \"y\" { name = \"y\" }");
        world.fails(&["plan", "-no-color"], "No object is called y.");
        world.config("data \"conformance_object\" \"y\" {\n name = \"y\"\n fallback = \"z\"\n}");
        assert!(world.ok(&["apply", "-auto-approve", "-no-color"]).contains("The fallback is taken."));
        world.config("data \"conformance_object\" \"y\" { name = \"forbidden\" }");
        world.fails(&["validate", "-no-color"], "`forbidden` is not looked up.");
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_function_is_called_and_names_its_wrong_argument() {
    everywhere(|world| {
        world.config("output \"joined\" { value = provider::conformance::join(\"-\", \"a\", \"b\") }").apply();
        assert_eq!(world.ok(&["output", "-raw", "joined"]).trim(), "a-b");
        world.config("output \"joined\" { value = provider::conformance::join(\"-\", \"a\", \"b-c\") }");
        world.fails(&["plan", "-no-color"], "a word must not hold the separator");
        world.config("output \"joined\" { value = provider::conformance::join(\"-\", null) }");
        world.fails(&["plan", "-no-color"], "argument must not be null");
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn an_ephemeral_resource_is_opened_closed_and_not_stored() {
    everywhere(|world| {
        let directory = world.at("objects");
        let text = format!(
            r#"
provider "conformance" {{
  alias     = "plain"
  directory = {directory:?}
}}
ephemeral "conformance_token" "t" {{
  provider = conformance.plain
  name     = "t"
}}
provider "conformance" {{
  directory = ephemeral.conformance_token.t.token == "t0ken" ? ephemeral.conformance_token.t.directory : "nowhere"
}}
resource "conformance_object" "x" {{
  name = "x"
}}
"#
        );
        world.config(&text).apply();
        assert!(world.object("x").exists());
        let log = std::fs::read_to_string(directory.join("t.log")).unwrap();
        let count = |word: &str| log.lines().filter(|line| *line == word).count();
        assert!(count("open") > 0 && count("open") == count("close"), "{log}");
        assert!(!std::fs::read_to_string(world.at("terraform.tfstate")).unwrap().contains("t0ken"));
    });
}

const NOTE: &str = r#"
action "conformance_note" "n" {
  config {
    name = "n"
  }
}
resource "terraform_data" "d" {
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.conformance_note.n]
    }
  }
}
"#;

#[test]
#[ignore = "needs Terraform"]
fn an_action_runs_when_it_is_triggered_and_when_it_is_invoked() {
    // OpenTofu has no actions.
    let terraform: Vec<_> = cores().into_iter().filter(|core| core.ends_with("terraform")).collect();
    assert!(!terraform.is_empty());
    for core in terraform {
        let world = World::new(&core);
        world.config(NOTE);
        let said = world.ok(&["apply", "-auto-approve", "-no-color"]);
        assert!(said.contains("taking the pen"), "{said}");
        let log = || std::fs::read_to_string(world.at("objects/n.log")).unwrap();
        assert_eq!(log(), "noted\n");
        world.ok(&["apply", "-auto-approve", "-no-color", "-invoke=action.conformance_note.n"]);
        assert_eq!(log(), "noted\nnoted\n");
        world.settled();
        world.config(&NOTE.replace("\"n\"\n  }", "\"forbidden\"\n  }"));
        world.fails(&["plan", "-no-color", "-invoke=action.conformance_note.n"], "`forbidden` is not noted.");
    }
}
