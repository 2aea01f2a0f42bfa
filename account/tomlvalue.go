package account

import (
	"reflect"

	"github.com/pelletier/go-toml/v2"
)

// tomlTable is a document as TOML values. The result of a change is compared with the expected tree,
// so that nothing else is changed.
type tomlTable map[string]any

// decodeTable decodes a valid document.
func decodeTable(source []byte) tomlTable {
	t := map[string]any{}
	_ = toml.Unmarshal(source, &t) // valid by contract; otherwise the tree equals no other
	return t
}

// valueAt returns the value at a path.
func (t tomlTable) valueAt(path ...string) (value any, ok bool) {
	value = map[string]any(t)
	for _, key := range path {
		table, _ := value.(map[string]any)
		if value, ok = table[key]; !ok {
			return nil, false
		}
	}
	return value, true
}

// tableAt returns the table at a path; empty if there is none.
func (t tomlTable) tableAt(path ...string) map[string]any {
	value, _ := t.valueAt(path...)
	table, _ := value.(map[string]any)
	return table
}

// setValue sets a value and creates the tables around it.
func (t tomlTable) setValue(value any, path ...string) {
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

// dropValue removes the value at a path.
func (t tomlTable) dropValue(path ...string) {
	delete(t.tableAt(path[:len(path)-1]...), path[len(path)-1])
}

// sameTable compares two trees. An empty table counts as missing, except that of a secret or of OAuth
// 2.0, which replaces an inherited one.
func (t tomlTable) sameTable(o tomlTable) bool {
	return reflect.DeepEqual(pruneEmpty(t), pruneEmpty(o))
}

func pruneEmpty(table map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range table {
		if below, ok := value.(map[string]any); ok {
			below = pruneEmpty(below)
			if len(below) == 0 && key != "secret" && key != "oauth2" {
				continue
			}
			value = below
		}
		all[key] = value
	}
	return all
}
