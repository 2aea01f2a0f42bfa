package account

import (
	"reflect"

	"github.com/pelletier/go-toml/v2"
)

// tree is a document as TOML values. The result of a change is compared with the expected tree,
// so that nothing else is changed.
type tree map[string]any

// treeOf decodes a valid document.
func treeOf(source []byte) tree {
	t := map[string]any{}
	_ = toml.Unmarshal(source, &t) // valid by contract; otherwise the tree equals no other
	return t
}

// at returns the value at a path.
func (t tree) at(path ...string) (value any, ok bool) {
	value = map[string]any(t)
	for _, key := range path {
		table, _ := value.(map[string]any)
		if value, ok = table[key]; !ok {
			return nil, false
		}
	}
	return value, true
}

// table returns the table at a path; empty if there is none.
func (t tree) table(path ...string) map[string]any {
	value, _ := t.at(path...)
	table, _ := value.(map[string]any)
	return table
}

// put sets a value and creates the tables around it.
func (t tree) put(value any, path ...string) {
	table, last := map[string]any(t), len(path)-1
	for _, key := range path[:last] {
		below, ok := table[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			table[key] = below
		}
		table = below
	}
	table[path[last]] = value
}

// drop removes the value at a path.
func (t tree) drop(path ...string) {
	delete(t.table(path[:len(path)-1]...), path[len(path)-1])
}

// same compares two trees. An empty table counts as missing, except that of a secret or of OAuth
// 2.0, which replaces an inherited one.
func (t tree) same(o tree) bool {
	return reflect.DeepEqual(pruned(t), pruned(o))
}

func pruned(table map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range table {
		if below, ok := value.(map[string]any); ok {
			below = pruned(below)
			if len(below) == 0 && key != "secret" && key != "oauth2" {
				continue
			}
			value = below
		}
		all[key] = value
	}
	return all
}
