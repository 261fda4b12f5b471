"""Renders deploy/helm/firstlight and checks the result against Kubernetes' own schemas. Helm itself can't be had where the
tests run, so this knows just what the chart uses of Helm's templates, and refuses everything else: if/else/end, values, release,
chart, files, and the functions in FUNCTIONS. It is no proof that Helm renders the same."""

import hashlib
import json
import re
import sys
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

CHART = Path(__file__).parents[2] / "deploy/helm/firstlight"
VERSIONS = ["1.27", "1.33"]
# Kinds of operators, which Kubernetes has no schema for.
FOREIGN = {"ServiceMonitor", "PrometheusRule"}

TAG = re.compile(r"(\{\{-?)\s*(.*?)\s*(-?\}\})", re.S)


def indent(text, by):
    return "\n".join(" " * by + line if line else line for line in str(text).rstrip("\n").split("\n"))


FUNCTIONS = {
    "quote": lambda value: json.dumps(str(value)),
    "toJson": json.dumps,
    "toYaml": lambda value: yaml.safe_dump(value, sort_keys=False).rstrip("\n"),
    "nindent": lambda by, value: "\n" + indent(value, by),
    "sha256sum": lambda value: hashlib.sha256(str(value).encode()).hexdigest(),
    "default": lambda other, value: value or other,
    "Files.Get": lambda name: (CHART / name).read_text(),
}


def term(word, scope):
    if word.startswith('"'):
        return json.loads(word)
    if re.fullmatch(r"\d+", word):
        return int(word)
    if not word.startswith("."):
        raise SystemExit(f"the chart uses {word}, which this check does not know")
    value = scope
    for part in word[1:].split("."):
        if part not in value:
            raise SystemExit(f"the chart uses {word}, which no value is named")
        value = value[part]
    return value


def evaluate(expression, scope):
    result = None
    for n, step in enumerate(part.strip() for part in expression.split("|")):
        words = re.findall(r'"[^"]*"|\S+', step)
        name = words[0].removeprefix(".")
        if name in FUNCTIONS:
            given = [term(word, scope) for word in words[1:]] + ([result] if n else [])
            result = FUNCTIONS[name](*given)
        elif n == 0 and len(words) == 1:
            result = term(words[0], scope)
        else:
            raise SystemExit(f"the chart uses {step}, which this check does not know")
    return result


def render(text, scope):
    out, shown, trim, at = [], [True], False, 0
    for tag in [*TAG.finditer(text), None]:
        literal = text[at : tag.start()] if tag else text[at:]
        if trim:
            literal = literal.lstrip()
        if tag and tag[1].endswith("-"):
            literal = literal.rstrip()
        if all(shown):
            out.append(literal)
        if not tag:
            break
        at, trim, action = tag.end(), tag[3].startswith("-"), tag[2]
        if action.startswith("if "):
            shown.append(bool(all(shown) and evaluate(action[3:], scope)))
        elif action == "else":
            shown[-1] = all(shown[:-1]) and not shown[-1]
        elif action == "end":
            shown.pop()
        elif all(shown):
            out.append(str(evaluate(action, scope)))
    if len(shown) != 1:
        raise SystemExit("an if without its end")
    return "".join(out)


def merged(base, change):
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}


def objects(change):
    values = merged(yaml.safe_load((CHART / "values.yaml").read_text()), change)
    jsonschema.validate(values, json.loads((CHART / "values.schema.json").read_text()))
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    scope = {"Values": values, "Release": {"Name": "night"}, "Chart": {"AppVersion": chart["appVersion"]}}
    for template in sorted((CHART / "templates").glob("*.yaml")):
        yield from filter(None, yaml.safe_load_all(render(template.read_text(), scope)))


def notes(change):
    values = merged(yaml.safe_load((CHART / "values.yaml").read_text()), change)
    return render((CHART / "templates/NOTES.txt").read_text(), {"Values": values, "Release": {"Name": "night"}})


def check(change):
    kinds = []
    for one in objects(change):
        kinds.append(one["kind"])
        if one["kind"] not in FOREIGN:
            for version in VERSIONS:
                kubernetes_validate.validate(one, version, strict=True)
        if one["kind"] == "Deployment":
            pod = one["spec"]["template"]["spec"]
            named = {volume["name"] for volume in pod["volumes"]}
            (container,) = pod["containers"]
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == named, f"volumes {named}, mounted {mounted}"
            assert container["securityContext"]["readOnlyRootFilesystem"] and pod["securityContext"]["runAsNonRoot"]
            for variable in container["env"]:
                assert "secretKeyRef" not in str(variable), "secrets are files"
    return kinds


def refused(change):
    try:
        list(objects(change))
    except jsonschema.ValidationError:
        return
    raise SystemExit(f"the values' schema let this through: {change}")


plain = check({})
assert {"Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget", "ConfigMap", "ServiceAccount"} <= set(plain), plain
everything = check({
    "image": {"tag": "1.2.3", "pullSecrets": [{"name": "registry"}]},
    "secrets": {"tls": "night-tls", "providers": "night-providers"},
    "attachments": {"enabled": True, "claim": "night-attachments"},
    "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
})
assert "create secret generic night-keys --from-file=keys" in notes({"secrets": {"keys": "night-keys"}})


def attachments(change):
    (deployment,) = (one for one in objects({"attachments": change}) if one["kind"] == "Deployment")
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return {variable["name"]: variable["value"] for variable in env if "ATTACHMENTS" in variable["name"]}


# A folder of one node is never where files go; a bucket is the configuration's business.
assert attachments({}) == {"FIRSTLIGHT_ATTACHMENTS__MAX_MIB": "0"}
assert attachments({"enabled": True, "claim": "x"})["FIRSTLIGHT_ATTACHMENTS__FOLDER_SHARED"] == "true"
assert attachments({"enabled": True}) == {}
assert FOREIGN <= set(everything), everything
bare = check({"networkPolicy": {"enabled": False}, "topologySpreadConstraints": []})
assert "NetworkPolicy" not in bare
rules = next(one for one in objects({"monitoring": {"enabled": True}}) if one["kind"] == "PrometheusRule")
assert rules["spec"]["groups"][0]["rules"][0]["alert"], "the rules are the repository's"
for bad in [{"name": "http://plain.example.org"}, {"replicas": 0}, {"secrets": {"keys": ""}}, {"password": "x"}]:
    refused(bad)
print(f"chart: {len(everything)} objects, valid for Kubernetes {' and '.join(VERSIONS)}", file=sys.stderr)
