//! The life of a resource under real OpenTofu and real Terraform, by the conformance provider of `main.rs`. Files only.
//!
//! Needs both cores in `~/.cache/kafkastack-sandbox/bin` (see `../sandbox/README.md`), or those that `KAFKASTACK_CORES`
//! names, separated by colons: `cargo test --test conformance -- --ignored`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "build.rs"]
mod build;
#[path = "kinds_test.rs"]
mod kinds_test;
#[path = "list_test.rs"]
mod list_test;
#[path = "world.rs"]
mod world;

use world::everywhere;

const FULL: &str = r#"
resource "conformance_object" "x" {
  name   = "full"
  ratio  = 12345678901234567890123.5
  size   = "1Gi"
  secret = "s3cret"
  tags   = ["b", "a"]
  zones  = ["z2", "z1", "z2"]
  labels = { team = "é" }
  main   = { key = "m", size = "1Gi" }
  parts  = [{ key = "p0" }, { key = "p1", count = 2 }]
  named  = { one = { key = "n1", size = "512Ki" } }
  spare  = [{ key = "s1" }, { key = "s2", size = "1Gi" }]
  extra  = { list = [1, "two", null], inner = { on = true } }
  timeouts = { create = "1m" }

  password         = "pa55word"
  password_version = 1
}
"#;

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn what_is_created_plans_empty_with_and_without_refresh() {
    everywhere(|world| {
        world.config(FULL).apply();
        world.settled();
        let attributes = &world.state()[0]["instances"][0]["attributes"];
        assert_eq!(attributes["parts"][1]["place"], "full/1");
        assert_eq!(attributes["named"]["one"]["count"], 1);
        assert_eq!(attributes["enabled"], true);
        assert_eq!(attributes["spare"].as_array().unwrap().len(), 2);
        assert_eq!(attributes["extra"]["value"]["list"], serde_json::json!([1, "two", null]));
        assert_eq!((&attributes["password"], &attributes["password_length"]), (&Json::Null, &8.into()));
        let file = std::fs::read_to_string(world.object("full")).unwrap();
        assert!(file.contains("\"12345678901234567890123.5\""), "{file}");
        world.ok(&["destroy", "-auto-approve"]);
        assert!(!world.object("full").exists());
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_log_at_trace_tells_of_operations_and_of_no_secret() {
    everywhere(|world| {
        world.config(FULL);
        let mut command = world.command(&["apply", "-auto-approve", "-no-color"]);
        let output = command.env("TF_LOG", "TRACE").output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{log}");
        let told = log.lines().find(|line| line.contains("operation=create")).unwrap();
        assert!(told.contains("[INFO]") && told.contains("limit_seconds=60"), "{told}");
        assert!(!log.contains("s3cret") && !log.contains("pa55word"));
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn an_update_keeps_what_is_stable_and_a_new_spelling_is_none() {
    everywhere(|world| {
        world.config(FULL).apply();
        world.config(&FULL.replace("1Gi", "1024Mi")).settled();
        world.config(&FULL.replace("\"a\"]", "\"c\"]"));
        let change = world.change();
        assert_eq!(change["actions"], serde_json::json!(["update"]));
        assert_eq!(change["after"]["id"], "id-full");
        assert_eq!(change["after"]["main"]["place"], "full/main");
        assert_eq!(change["after_unknown"]["revision"], true);
        world.ok(&["apply", "plan"]);
        world.settled();
        assert_eq!(world.state()[0]["instances"][0]["attributes"]["revision"], 2);
        world.config(&FULL.replace("{ key = \"p0\" },", "")).apply();
        world.settled();
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_new_name_replaces_the_object() {
    everywhere(|world| {
        world.config(FULL).apply();
        world.config(&FULL.replace("\"full\"", "\"other\""));
        let change = world.change();
        assert_eq!(change["actions"], serde_json::json!(["delete", "create"]));
        assert_eq!(change["replace_paths"], serde_json::json!([["name"]]));
        assert_eq!(change["after_unknown"]["id"], true);
        world.ok(&["apply", "plan"]);
        world.settled();
        assert!(!world.object("full").exists() && world.object("other").exists());
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn drift_is_found_but_another_spelling_is_no_drift() {
    everywhere(|world| {
        world.config(FULL).apply();
        world.drift("full", |object| {
            object["size"] = "1048576Ki".into();
            object["main"]["size"] = "1024Mi".into();
        });
        world.settled();
        world.drift("full", |object| object["enabled"] = false.into());
        let change = world.change();
        assert_eq!(change["actions"], serde_json::json!(["update"]));
        assert_eq!(change["before"]["enabled"], false);
        world.ok(&["apply", "plan"]);
        world.settled();
        std::fs::remove_file(world.object("full")).unwrap();
        assert_eq!(world.change()["actions"], serde_json::json!(["create"]));
        world.apply();
        world.settled();
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn an_imported_object_plans_empty() {
    everywhere(|world| {
        let config = FULL.replace("timeouts = { create = \"1m\" }", "");
        world.config(&config).apply();
        std::fs::remove_file(world.at("terraform.tfstate")).unwrap();
        world.ok(&["import", "conformance_object.x", "full"]);
        world.settled();
        world.config(&config.replace("\"a\"]", "\"c\"]")).apply();
        world.fails(&["import", "conformance_object.y", "nothing"], "resource address");
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn an_object_is_imported_by_its_identity() {
    everywhere(|world| {
        let config = FULL.replace("timeouts = { create = \"1m\" }", "");
        world.config(&config).apply();
        assert_eq!(world.state()[0]["instances"][0]["identity"], serde_json::json!({ "name": "full" }));
        std::fs::remove_file(world.at("terraform.tfstate")).unwrap();
        let import = "import {\n to = conformance_object.x\n identity = { name = \"full\" }\n}\n";
        world.config(&format!("{config}{import}"));
        assert_eq!(world.change()["actions"], serde_json::json!(["no-op"]));
        world.ok(&["apply", "plan"]);
        assert_eq!(world.state()[0]["instances"][0]["identity"], serde_json::json!({ "name": "full" }));
        world.config(&config).settled();
        world.config(&config.replace("\"full\"", "\"other\"")).apply();
        assert_eq!(world.state()[0]["instances"][0]["identity"], serde_json::json!({ "name": "other" }));
        world.settled();
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_write_only_password_is_set_anew_by_its_version_and_stored_nowhere() {
    everywhere(|world| {
        world.config(FULL).apply();
        // Alone it is no change: nobody knows what it was.
        world.config(&FULL.replace("pa55word", "another")).settled();
        let rotated = FULL.replace("pa55word", "rotated-pa55").replace("password_version = 1", "password_version = 2");
        world.config(&rotated);
        let change = world.change();
        assert_eq!(change["actions"], serde_json::json!(["update"]));
        assert_eq!(change["after_unknown"]["password_length"], true);
        world.ok(&["apply", "plan"]);
        world.settled();
        assert_eq!(world.state()[0]["instances"][0]["attributes"]["password_length"], 12);
        for file in ["terraform.tfstate", "terraform.tfstate.backup", "plan"] {
            let bytes = std::fs::read(world.at(file)).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("pa55word"), "{file}");
        }
        let object = std::fs::read_to_string(world.object("full")).unwrap();
        assert!(!object.contains("rotated-pa55"), "{object}");
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn an_object_is_moved_to_another_address_and_from_another_type() {
    everywhere(|world| {
        world.config(FULL).apply();
        let renamed = FULL.replace("\"x\"", "\"y\"");
        let moved = "moved {\n from = conformance_object.x\n to = conformance_object.y\n}\n";
        world.config(&format!("{renamed}{moved}"));
        assert_eq!(world.change()["actions"], serde_json::json!(["no-op"]));
        world.ok(&["apply", "plan"]);
        // The object is there; the state now only has a note of another provider.
        std::fs::remove_file(world.at("terraform.tfstate")).unwrap();
        world.config("resource \"terraform_data\" \"x\" {\n input = \"full\"\n}\n").apply();
        let config = FULL.replace("timeouts = { create = \"1m\" }", "");
        let moved = "moved {\n from = terraform_data.x\n to = conformance_object.x\n}\n";
        world.config(&format!("{config}{moved}"));
        assert_eq!(world.change()["actions"], serde_json::json!(["no-op"]));
        world.ok(&["apply", "plan"]);
        world.config(&config).settled();
        assert_eq!(world.state()[0]["instances"][0]["identity"], serde_json::json!({ "name": "full" }));
        let moved = "moved {\n from = terraform_data.z\n to = conformance_object.z\n}\n";
        world.config("resource \"terraform_data\" \"z\" {\n input = \"none\"\n}\n").apply();
        world.config(&format!("resource \"conformance_object\" \"z\" {{\n name = \"none\"\n}}\n{moved}"));
        assert_eq!(world.change()["actions"], serde_json::json!(["create"]));
        world.ok(&["apply", "plan"]);
        world.settled();
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_create_that_fails_half_way_is_kept_as_tainted() {
    everywhere(|world| {
        std::fs::write(world.at("objects/full.fail-create"), "").unwrap();
        world.config(FULL).fails(&["apply", "-auto-approve", "-no-color"], "The object exists, but is not ready.");
        assert_eq!(world.state()[0]["instances"][0]["status"], "tainted");
        assert_eq!(world.state()[0]["instances"][0]["attributes"]["id"], "id-full");
        std::fs::remove_file(world.at("objects/full.fail-create")).unwrap();
        world.apply();
        world.settled();
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn an_interrupt_stops_a_slow_create_and_keeps_what_exists() {
    everywhere(|world| {
        std::fs::write(world.at("objects/full.slow-create"), "").unwrap();
        world.config(FULL);
        let mut command = world.command(&["apply", "-auto-approve", "-no-color"]);
        let mut child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        while !world.object("full").exists() {
            assert!(Instant::now() < patience, "nothing is created");
            std::thread::sleep(Duration::from_millis(20));
        }
        let interrupted = Instant::now();
        // The whole group, as a terminal does it: the provider gets it too.
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
        let (mut said, mut errors) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert!(interrupted.elapsed() < Duration::from_secs(5), "{:?}", interrupted.elapsed());
        assert!(errors.contains("The wait ended: it was interrupted."), "{said}{errors}");
        assert_eq!(world.state()[0]["instances"][0]["status"], "tainted");
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_create_ends_when_its_time_is_over() {
    everywhere(|world| {
        std::fs::write(world.at("objects/full.slow-create"), "").unwrap();
        world.config(&FULL.replace("\"1m\"", "\"1s\""));
        world.fails(&["apply", "-auto-approve", "-no-color"], "The wait ended: the time is up.");
        assert_eq!(world.state()[0]["instances"][0]["status"], "tainted");
        world.config(&FULL.replace("\"1m\"", "\"soon\""));
        world.fails(&["plan", "-no-color"], "`timeouts.create`: \"soon\" is not a duration");
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn what_cannot_be_is_refused_at_plan() {
    everywhere(|world| {
        world.config(&FULL.replace("\"full\"", "\"forbidden\"")).fails(&["plan", "-no-color"], "`forbidden` is not allowed.");
        world.config(&FULL.replace("\"512Ki\"", "\"big\""));
        world.fails(&["validate", "-no-color"], "`named[\"one\"].size`: a size such as `1Gi` is needed");
        world.config(&FULL.replace("\"full\"", "\"panic\""));
        world.fails(&["plan", "-no-color"], "The plan stopped on a fault of the provider");
        world.config(&FULL.replace("team", "keep")).apply();
        world.fails(&["plan", "-destroy", "-no-color"], "The object is kept");
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn values_that_only_apply_knows_pass_through() {
    everywhere(|world| {
        world.config(
            r#"
resource "conformance_object" "a" {
  name = "a"
}
resource "conformance_object" "b" {
  name   = "b-${conformance_object.a.id}"
  tags   = ["x", conformance_object.a.id]
  labels = { a = conformance_object.a.id }
  main   = { key = conformance_object.a.id }
  spare  = [{ key = conformance_object.a.id }, { key = "known" }]
  extra  = { id = conformance_object.a.id, count = 1 }
  parts  = [for tag in ["p", conformance_object.a.id] : { key = tag, size = "1Ki" }]
}
"#,
        );
        world.apply();
        world.settled();
        assert!(world.object("b-id-a").exists());
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn settings_of_the_provider_may_be_unknown_at_plan() {
    everywhere(|world| {
        let directory = world.at("objects");
        world.config(&format!(
            "resource \"terraform_data\" \"d\" {{ input = {directory:?} }}\n\
             provider \"conformance\" {{ directory = terraform_data.d.output }}\n{FULL}"
        ));
        world.apply();
        world.settled();
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn a_provider_that_runs_already_is_attached_and_stays() {
    everywhere(|world| {
        let mut command = Command::new(build::provider());
        command.arg("--debug").env("TMPDIR", world.at("tmp")).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut plugin = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(plugin.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let json = line.trim_end().split_once('=').unwrap().1.trim_matches('\'').to_owned();
        // Nothing else tells core where the provider is.
        std::fs::write(world.at("rc"), "").unwrap();
        world.config(FULL);
        for arguments in [["apply", "-auto-approve"], ["plan", "-detailed-exitcode"]] {
            let output = world.command(&arguments).env("TF_REATTACH_PROVIDERS", &json).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(plugin.try_wait().unwrap().is_none());
        assert!(Command::new("kill").args(["-TERM", &plugin.id().to_string()]).status().unwrap().success());
        assert_eq!(plugin.wait().unwrap().code(), Some(0));
    });
}
