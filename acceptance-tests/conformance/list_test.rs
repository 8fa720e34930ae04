//! `terraform query`, and configuration that a core writes. OpenTofu has no query.

use super::world::{World, cores, everywhere};

const OBJECTS: &str = r#"
resource "conformance_object" "all" {
  for_each = toset(["a1", "a2", "b1"])
  name     = each.key
  ratio    = 0.5
  size     = "1Gi"
  tags     = ["b", "a"]
  zones    = ["z2", "z1"]
  labels   = { team = "é" }
  main     = { key = "m", size = "1Gi" }
  parts    = [{ key = "p0" }, { key = "p1", count = 2 }]
  named    = { one = { key = "n1", size = "512Ki" } }
}
"#;

/// Objects that nobody manages any more.
fn forgotten(world: &World) {
    world.config(OBJECTS).apply();
    std::fs::remove_file(world.at("terraform.tfstate")).unwrap();
    world.config("");
}

fn query(world: &World, arguments: &str, prefix: &str) {
    let text = format!(
        "list \"conformance_object\" \"found\" {{\n provider = conformance\n {arguments}\n config {{\n prefix = {prefix:?}\n }}\n}}\n"
    );
    std::fs::write(world.at("all.tfquery.hcl"), text).unwrap();
}

fn with_queries(test: impl Fn(&World)) {
    let cores: Vec<_> = cores().into_iter().filter(|core| core.ends_with("terraform")).collect();
    assert!(!cores.is_empty());
    for core in cores {
        test(&World::new(&core));
    }
}

#[test]
#[ignore = "needs Terraform"]
fn a_query_lists_what_is_there() {
    with_queries(|world| {
        forgotten(world);
        query(world, "", "a");
        let said = world.ok(&["query", "-no-color"]);
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("list.conformance_object.found name=a1 the object a1"), "{said}");
        assert!(said.contains("name=a2") && !said.contains("name=b1"), "{said}");
        query(world, "limit = 1", "");
        let said = world.ok(&["query", "-no-color"]);
        assert!(said.contains("name=a1") && !said.contains("name=a2"), "{said}");
        std::fs::write(world.object("a0"), "no json").unwrap();
        query(world, "include_resource = true", "a");
        let said = world.ok(&["query", "-no-color"]);
        assert!(said.contains("`a0` is left out") && said.contains("name=a1"), "{said}");
        query(world, "", "forbidden");
        world.fails(&["query", "-no-color"], "`forbidden` is not looked for.");
    });
}

#[test]
#[ignore = "needs Terraform"]
fn what_a_query_finds_is_imported_by_generated_configuration() {
    with_queries(|world| {
        forgotten(world);
        query(world, "include_resource = true", "a");
        world.ok(&["query", "-no-color", "-generate-config-out=generated.tf"]);
        let said = world.ok(&["apply", "-auto-approve", "-no-color"]);
        assert!(said.contains("2 imported, 0 added, 0 changed, 0 destroyed"), "{said}");
        world.settled();
        world.ok(&["destroy", "-auto-approve"]);
        assert!(!world.object("a1").exists() && world.object("b1").exists());
    });
}

#[test]
#[ignore = "needs OpenTofu and Terraform"]
fn an_import_block_has_its_configuration_generated() {
    everywhere(|world| {
        forgotten(world);
        world.config("import {\n to = conformance_object.x\n id = \"b1\"\n}\n");
        world.ok(&["plan", "-no-color", "-generate-config-out=generated.tf"]);
        let said = world.ok(&["apply", "-auto-approve", "-no-color"]);
        assert!(said.contains("1 imported, 0 added, 0 changed, 0 destroyed"), "{said}");
        world.settled();
    });
}
