//! The pods' template as our own last write left it, and what somebody did to it since. The server's defaults and what a webhook
//! put into our write are in it from the beginning; what comes later would restart pods with the next roll. Pure.

use crate::kubernetes::difference::{Difference, compared};
use crate::kubernetes::object::{Kind, Object, at};
use serde_json::Value;

/// Where a StatefulSet has it.
pub const TEMPLATE: &str = "/spec/template";
/// The same, as the names of its fields begin.
pub const FIELD: &str = ".spec.template";

/// A field of the template that is not as our last write left it.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// Its name.
    pub field: String,
    /// What our write left there; null: nothing.
    pub left: Value,
    /// What is there; null: nothing.
    pub found: Value,
}

/// The template of a live StatefulSet.
pub fn of(set: &Object) -> &Value {
    set.at(TEMPLATE)
}

/// What was added, changed or taken away since our last write.
pub fn foreign(left: &Value, live: &Value) -> Vec<Foreign> {
    let field = |name: String| format!("{FIELD}{name}");
    let mut found: Vec<Foreign> = compared(live, left)
        .into_iter()
        .map(|Difference { field: name, desired, live }| Foreign {
            field: field(name),
            left: live.clone(),
            found: desired.clone(),
        })
        .collect();
    for Difference { field: name, desired, live } in compared(left, live) {
        let name = field(name);
        if !found.iter().any(|one| one.field == name) {
            found.push(Foreign { field: name, left: desired.clone(), found: live.clone() });
        }
    }
    found
}

/// The names of these fields.
pub fn foreign_fields(left: &Value, live: &Value) -> Vec<String> {
    foreign(left, live).into_iter().map(|foreign| foreign.field).collect()
}

/// The name of the revision that has this template, of those that the StatefulSet keeps (`ControllerRevision`).
pub fn revision_of<'a>(revisions: &'a [Object], set: &Object, template: &Value) -> Option<&'a str> {
    let same = |revision: &&Object| {
        let mut data = revision.at("/data/spec/template").clone();
        if let Some(data) = data.as_object_mut() {
            data.remove("$patch");
        }
        revision.kind() == Kind::ControllerRevision && revision.is_owned_by(set.uid()) && foreign(template, &data).is_empty()
    };
    revisions.iter().find(same).map(Object::name)
}

/// The names of the ConfigMaps that a pod mounts.
pub fn config_maps(pod: &Object) -> impl Iterator<Item = &str> {
    pod.list("/spec/volumes").iter().filter_map(|volume| at(volume, "/configMap/name").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template() -> Value {
        json!({
            "metadata": {"labels": {"a": "b"}, "annotations": {"mesh": "on"}},
            "spec": {"dnsPolicy": "ClusterFirst", "containers": [{"name": "kafka", "image": "x", "env": [{"name": "A", "value": "1"}]}]},
        })
    }

    #[test]
    fn what_was_added_changed_or_taken_away_is_named_and_nothing_else() {
        assert_eq!(foreign(&template(), &template()), []);
        let fields = |change: &dyn Fn(&mut Value)| {
            let mut live = template();
            change(&mut live);
            foreign_fields(&template(), &live)
        };
        let env = r#".spec.template.spec.containers[name="kafka"].env"#;
        assert_eq!(
            fields(&|t| t["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = "now".into()),
            [".spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt"]
        );
        assert_eq!(
            fields(&|t| t["spec"]["containers"][0]["env"] = json!([{"name": "B"}, {"name": "A", "value": "1"}])),
            [format!(r#"{env}[name="B"]"#)]
        );
        assert_eq!(
            fields(&|t| t["spec"]["containers"] = json!([{"name": "sidecar"}, t["spec"]["containers"][0]])),
            [r#".spec.template.spec.containers[name="sidecar"]"#]
        );
        assert_eq!(fields(&|t| t["spec"]["tolerations"] = json!([{"operator": "Exists"}])), [".spec.template.spec.tolerations"]);
        assert_eq!(fields(&|t| t["spec"]["dnsPolicy"] = "None".into()), [".spec.template.spec.dnsPolicy"]);
        assert_eq!(
            fields(&|t| drop(t["metadata"]["annotations"].as_object_mut().unwrap().remove("mesh"))),
            [".spec.template.metadata.annotations.mesh"]
        );
    }

    #[test]
    fn a_field_has_what_was_left_and_what_was_found() {
        let mut live = template();
        live["spec"]["dnsPolicy"] = "None".into();
        let field = ".spec.template.spec.dnsPolicy".to_owned();
        assert_eq!(foreign(&template(), &live), [Foreign { field, left: "ClusterFirst".into(), found: "None".into() }]);
    }

    #[test]
    fn the_revision_of_a_template_is_found_among_those_of_the_set() {
        let set = Object::new(Kind::StatefulSet, json!({"metadata": {"uid": "1"}}));
        let revision = |name: &str, uid: &str, mut template: Value| {
            template["$patch"] = "replace".into();
            let metadata = json!({"name": name, "ownerReferences": [{"uid": uid, "controller": true}]});
            Object::new(Kind::ControllerRevision, json!({"metadata": metadata, "data": {"spec": {"template": template}}}))
        };
        let mut other = template();
        other["spec"]["dnsPolicy"] = "None".into();
        let revisions =
            [revision("kafka-1", "2", template()), revision("kafka-2", "1", other), revision("kafka-3", "1", template())];
        assert_eq!(revision_of(&revisions, &set, &template()), Some("kafka-3"));
        assert_eq!(revision_of(&revisions[..2], &set, &template()), None);
    }
}
