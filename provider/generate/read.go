package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yanmail/yan/provider"
)

// object is a mapping of the source.
type object = map[string]any

// schemaVersion is the schema of providers.yaml that this program reads.
const schemaVersion = 1

// Facts is the content of providers.yaml.
type Facts struct {
	Providers []provider.Provider
	MXRules   []provider.MXRule
}

// Read reads and checks the YAML source.
func Read(source []byte) (Facts, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(source, &root); err != nil {
		return Facts{}, err
	}
	var raw struct {
		Schema    int      `yaml:"schema"`
		Providers []object `yaml:"providers"`
		MXRules   []object `yaml:"mx_rules"`
	}
	if err := root.Decode(&raw); err != nil {
		return Facts{}, err
	}
	if raw.Schema != schemaVersion {
		return Facts{}, fmt.Errorf("schema is %d, this program reads %d", raw.Schema, schemaVersion)
	}
	nodes := child(root.Content[0], "providers").Content
	byID := map[string]object{}
	for i, p := range raw.Providers {
		id, _ := p["id"].(string)
		if id == "" || byID[id] != nil {
			return Facts{}, fmt.Errorf("entry %d: id %q is missing or taken", i+1, id)
		}
		byID[id] = p
		p["sources"] = sources(nodes[i])
	}
	var facts Facts
	for _, p := range raw.Providers {
		parsed, err := convertOne(p, byID)
		if err != nil {
			return Facts{}, fmt.Errorf("%v: %w", p["id"], err)
		}
		facts.Providers = append(facts.Providers, parsed)
	}
	if err := strict(raw.MXRules, &facts.MXRules); err != nil {
		return Facts{}, fmt.Errorf("mx_rules: %w", err)
	}
	return facts, nil
}

func convertOne(p object, byID map[string]object) (provider.Provider, error) {
	var parsed provider.Provider
	resolved := object{}
	for key, value := range p {
		v, err := resolve(key, value, byID, 0)
		if err != nil {
			return parsed, fmt.Errorf("%s: %w", key, err)
		}
		resolved[key] = v
	}
	defaults(resolved)
	return parsed, strict(resolved, &parsed)
}

// resolve follows {same_as: id, also: […]}.
func resolve(key string, value any, byID map[string]object, depth int) (any, error) {
	m, isMap := value.(object)
	id, isReference := m["same_as"].(string)
	if !isMap || !isReference {
		return value, nil
	}
	target, known := byID[id]
	if !known {
		return nil, fmt.Errorf("same_as %q: no such provider", id)
	}
	if depth > 8 {
		return nil, errors.New("same_as goes in a circle")
	}
	base, err := resolve(key, target[key], byID, depth+1)
	if err != nil {
		return nil, err
	}
	also, more := m["also"].([]any)
	if !more {
		return base, nil
	}
	list, _ := base.([]any)
	return append(append([]any{}, list...), also...), nil
}

// defaults sets absent keys as the head of providers.yaml describes.
func defaults(p object) {
	set := func(m object, key string, value any) {
		if m != nil && m[key] == nil {
			m[key] = value
		}
	}
	set(p, "region", "intl")
	set(p, "sender_rule", string(provider.UnknownSenderRule))
	auth, _ := p["auth"].(object)
	set(auth, "mechanisms_status", string(provider.Unverified))
}

// sources collects the comments next to the facts of one provider.
func sources(node *yaml.Node) map[string]string {
	found := map[string]string{}
	var walk func(path string, n *yaml.Node)
	note := func(path string, nodes ...*yaml.Node) {
		for _, n := range nodes {
			comment := strings.TrimSpace(strings.TrimLeft(n.LineComment, "# "))
			if comment == "" {
				continue
			}
			if found[path] != "" {
				comment = found[path] + "; " + comment
			}
			found[path] = comment
		}
	}
	walk = func(path string, n *yaml.Node) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				k, v := n.Content[i], n.Content[i+1]
				sub := strings.TrimPrefix(path+"."+k.Value, ".")
				note(sub, k, v)
				walk(sub, v)
			}
		case yaml.SequenceNode:
			for i, item := range n.Content {
				sub := fmt.Sprintf("%s.%d", path, i)
				if port := child(item, "port"); port != nil {
					sub = path + "." + port.Value
				}
				note(sub, item)
				walk(sub, item)
			}
		}
	}
	walk("", node)
	return found
}

// child returns the value of a key; nil if there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// strict converts a value to a Go type; a key that the type lacks is an error.
func strict(from, to any) error {
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(to)
}
