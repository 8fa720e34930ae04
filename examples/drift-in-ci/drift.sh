#!/usr/bin/env bash
# Looks for drift with `plan -detailed-exitcode`, writes what it found as Markdown, and fails as told. Changes nothing.
# Needs bash, jq, and OpenTofu or Terraform. Arguments go to `plan`: drift.sh -lock=false -var-file=prod.tfvars
#
#   TF             tofu (the default) or terraform
#   DRIFT_DIR      the folder with the configuration; default: this one
#   DRIFT_SUMMARY  where the summary goes; default: drift.md. GitHub's own ($GITHUB_STEP_SUMMARY) gets it too
#   FAIL_ON        drift (the default): ends with 2 on drift, 1 on an error; error: 1 on an error, otherwise 0; never: 0
set -uo pipefail
TF=${TF:-tofu} DRIFT_DIR=${DRIFT_DIR:-.} DRIFT_SUMMARY=${DRIFT_SUMMARY:-drift.md} FAIL_ON=${FAIL_ON:-drift}
case $FAIL_ON in drift | error | never) ;; *) echo "FAIL_ON is \"$FAIL_ON\": drift, error or never is possible" >&2; exit 1 ;; esac
command -v jq >/dev/null || { echo "drift.sh needs jq" >&2; exit 1; }
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT # the plan holds secrets: it is not kept

# tell DRIFT|ERROR|CLEAN: posts the summary, and ends
tell() {
  cp "$scratch/summary.md" "$DRIFT_SUMMARY"
  [ -z "${GITHUB_STEP_SUMMARY-}" ] || cat "$scratch/summary.md" >>"$GITHUB_STEP_SUMMARY"
  cat "$scratch/summary.md"
  case $1:$FAIL_ON in DRIFT:drift) exit 2 ;; ERROR:drift | ERROR:error) exit 1 ;; *) exit 0 ;; esac
}

# failed WHAT: the summary of a run that could not look
failed() {
  { printf '## Drift: could not look\n\n%s failed:\n\n```text\n' "$1"; tail -n 60 "$scratch/log" | tr -d '`'; echo '```'; } >"$scratch/summary.md"
  tell ERROR
}

# run ARGUMENTS...: the tool at work, its words in the log
run() { "$TF" -chdir="$DRIFT_DIR" "$@" >"$scratch/log" 2>&1; }

[ -d "$DRIFT_DIR/.terraform" ] || run init -input=false -no-color || failed "$TF init"
code=0; run plan -input=false -no-color -detailed-exitcode -out="$scratch/plan" "$@" || code=$?
[ $code = 0 ] || [ $code = 2 ] || failed "$TF plan"
"$TF" -chdir="$DRIFT_DIR" show -json "$scratch/plan" >"$scratch/plan.json" 2>"$scratch/log" || failed "$TF show"

# 2 is also said when only an output changes, which is no drift: what counts are resources, and what kafkastack_drift found.
cat >"$scratch/summary.jq" <<'JQ'
def text: if . == null then "nothing" elif type == "string" then . else tojson end;
def code: text | gsub("[[:cntrl:]]"; " ") | if length > 120 then .[:120] + "…" else . end
  | "`" + gsub("`"; "'") + "`" | gsub("\\|"; "\\|");
def leaves: [path(.. | select(type != "object" and type != "array"))];
def named: reduce .[] as $step (""; . + if $step | type == "number" then "[\($step)]"
  elif $step | test("^[A-Za-z0-9_-]+$") then (if . == "" then "" else "." end) + $step else "[\($step | tojson)]" end);
# whether a marking (sensitive, unknown) holds for the path, or for something around it
def marked($path): . as $marks | any(range(0; ($path | length) + 1); . as $n | $marks | try (getpath($path[:$n]) == true) catch false);
def rows: . as $change | [($change.before | leaves[]), ($change.after | leaves[])] | unique | map(. as $path
  | select(($change.before | getpath($path)) != ($change.after | getpath($path)))
  | select($change.after_unknown | marked($path) | not)
  | (($change.before_sensitive | marked($path)) or ($change.after_sensitive | marked($path))) as $secret
  | {field: $path | named, wanted: $change.after | getpath($path), found: $change.before | getpath($path)}
  | if $secret then .wanted = "(sensitive)" | .found = "(sensitive)" else . end);
def table($how): ["| resource | attribute | \($how[0]) | \($how[1]) | |", "| --- | --- | --- | --- | --- |"] + . | join("\n") + "\n";

[.resource_drift[]?] as $outside
| ([.resource_changes[]? | select(.change.actions - ["no-op", "read"] != [])]) as $changes
| ([.prior_state.values? // {} | .. | objects | select(.mode? == "data" and .type? == "kafkastack_drift")]) as $asked
| ([.resource_changes[]? | select(.type == "kafkastack_drift" and .change.actions == ["read"]) | .address]) as $unread
| ([$changes[] | . as $one | ([$outside[] | select(.address == $one.address)] != []) as $touched
    | (if $touched then "changed outside" else "not applied yet" end) as $why
    | if .change.actions == ["update"] then
        (.change | rows) as $rows
        | if $rows == [] then "| \(.address | code) | | | | \($why) |"
          else $rows[] | "| \($one.address | code) | \(.field | code) | \(.wanted | code) | \(.found | code) | \($why) |" end
      elif .change.actions == ["create"] then
        "| \(.address | code) | | to be there | **is not there** | \(if $touched then "deleted outside" else $why end) |"
      elif .change.actions == ["delete"] then "| \(.address | code) | | not to be there | is there | not applied yet |"
      else "| \(.address | code) | | to be replaced | is there | \($why) |" end]) as $managed
| ([$outside[] | . as $one | select([$changes[] | select(.address == $one.address)] == [])
    # here `before` is what the state has, and `after` what was found
    | .change | {before: .after, after: .before, after_unknown: {}, before_sensitive: .after_sensitive, after_sensitive: .before_sensitive}
    | rows[] | "| \($one.address | code) | \(.field | code) | \(.wanted | code) | \(.found | code) | |"]) as $harmless
| ($changes != [] or any($asked[]; .values.drifted == true)) as $drifted
| [(if $drifted then "## Drift: found\n" else "## Drift: none\n" end),
  (if $managed != [] then "### An apply would put this right\n\n" + ($managed | table(["wanted", "found"])) else empty end),
  (if $harmless != [] then "### Changed outside, and left as it is by an apply\n\n" + ($harmless | table(["was", "is"])) else empty end),
  ($asked[] | "## `\(.address)`\n\n" + .values.summary_markdown),
  ($unread[] | "`\(.)` was not read: it refers to a resource that has changes pending. Write its ids and names out.\n")]
| {drifted: $drifted, text: join("\n")}
JQ
jq -f "$scratch/summary.jq" "$scratch/plan.json" >"$scratch/found.json" 2>"$scratch/log" || failed "reading the plan"
jq -r .text "$scratch/found.json" >"$scratch/summary.md"
if jq -e .drifted "$scratch/found.json" >/dev/null; then tell DRIFT; else tell CLEAN; fi
