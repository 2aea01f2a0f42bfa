package account

import (
	"bytes"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/pelletier/go-toml/v2"

	"github.com/yanmail/yan/internal/localerr"
)

// schema is the format of the configuration: the keys of an account, and the type that
// TOML decodes a file to.
type schema struct {
	keys []key
	// settings is the type of a table of keys: a structure with a field for each key, in
	// the order of keys.
	settings reflect.Type
	document reflect.Type
}

// accountSchema returns the schema of this program.
var accountSchema = sync.OnceValue(func() *schema { return newSchema(accountKeys()) })

func newSchema(keys []key) *schema {
	fields := make([]reflect.StructField, len(keys))
	for i, k := range keys {
		fields[i] = tomlField("Key"+strconv.Itoa(i), k.kind, k.name)
	}
	settings := reflect.StructOf(fields)
	return &schema{keys: keys, settings: settings, document: reflect.StructOf([]reflect.StructField{
		tomlField("Version", reflect.TypeFor[int](), "version"),
		tomlField("Default", reflect.TypeFor[string](), "default"),
		tomlField("Defaults", settings, "defaults"),
		tomlField("Account", reflect.MapOf(reflect.TypeFor[string](), settings), "account"),
		tomlField("Outbox", reflect.TypeFor[outboxSettings](), "outbox"),
		tomlField("Local", reflect.TypeFor[map[string]any](), "local"),
		tomlField("Submit", reflect.TypeFor[submitSettings](), "submit"),
		tomlField("Listen", reflect.TypeFor[listenSettings](), "listen"),
	})}
}

func tomlField(name string, kind reflect.Type, key string) reflect.StructField {
	return reflect.StructField{Name: name, Type: kind, Tag: reflect.StructTag(`toml:"` + key + `"`)}
}

// document is a decoded file; its tables of keys have the type settings of the schema.
type document struct {
	standard string
	defaults reflect.Value
	accounts reflect.Value
	outbox   outboxSettings
	local    map[string]any
	submit   submitSettings
	listen   listenSettings
}

// decodeDocument decodes a file that has known keys only.
func (s *schema) decodeDocument(source []byte) (document, error) {
	decoded := reflect.New(s.document)
	if err := toml.NewDecoder(bytes.NewReader(source)).DisallowUnknownFields().Decode(decoded.Interface()); err != nil {
		return document{}, err
	}
	d := decoded.Elem()
	return document{standard: d.FieldByName("Default").String(), defaults: d.FieldByName("Defaults"),
		accounts: d.FieldByName("Account"), outbox: d.FieldByName("Outbox").Interface().(outboxSettings),
		local: d.FieldByName("Local").Interface().(map[string]any), submit: d.FieldByName("Submit").Interface().(submitSettings),
		listen: d.FieldByName("Listen").Interface().(listenSettings)}, nil
}

// accountTable returns the table of keys of an account.
func (d document) accountTable(name string) (settings reflect.Value, ok bool) {
	settings = d.accounts.MapIndex(reflect.ValueOf(name))
	return settings, settings.IsValid()
}

// isSet reports whether a table sets a key.
func (s *schema) isSet(settings reflect.Value, name string) bool {
	i := slices.IndexFunc(s.keys, func(k key) bool { return k.name == name })
	return i >= 0 && !settings.Field(i).IsNil()
}

// setKeys gives an account the keys that a table sets. It returns the first key whose
// value can't be used; the others are set all the same, so that the account is found.
func (s *schema) setKeys(a *Account, settings reflect.Value) (key string, err error) {
	for _, k := range s.keys {
		if k.both != nil && s.isSet(settings, k.name) && s.isSet(settings, k.replaces) {
			return k.name, k.both
		}
	}
	for i, k := range s.keys {
		value := settings.Field(i)
		if value.IsNil() {
			continue
		}
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		if wrong := k.set(a, value.Interface()); wrong != nil && err == nil {
			key, err = k.name, wrong
		}
	}
	return key, err
}

// keyNamed returns the key with a name; zero if there is none.
func (s *schema) keyNamed(name string) key {
	for _, k := range s.keys {
		if k.name == name {
			return k
		}
	}
	return key{}
}

// keyValue is a key with its value in TOML. It is not needed if it equals the inherited value.
type keyValue struct {
	key, value string
	needed     bool
}

// valuesInFile returns the keys that the file has for an account.
func (s *schema) valuesInFile(a, inherited Account) []keyValue {
	list := make([]keyValue, len(s.keys))
	for i, k := range s.keys {
		value := k.toml(a, inherited)
		list[i] = keyValue{k.name, value, value != "" && value != k.toml(inherited, inherited)}
	}
	return list
}

// accountKeys returns the keys of an account, those of its tables with a dot in them.
func (s *schema) accountKeys() []string {
	var list []string
	for _, k := range s.keys {
		below := s.knownKeys([]string{"account", "", k.name})
		for _, b := range below {
			list = append(list, k.name+"."+b)
		}
		if below == nil {
			list = append(list, k.name)
		}
	}
	return list
}

// knownKeys returns the keys of a table; nil for a table of free keys, or if there is
// no such table.
func (s *schema) knownKeys(table []string) []string {
	t := s.tableType(table)
	if t == nil {
		return nil
	}
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("toml")
	}
	return keys
}

// tableType returns the structure of a table; nil for one of free keys or none.
func (s *schema) tableType(table []string) reflect.Type {
	t := s.document
	for len(table) > 0 && t != nil {
		switch field, ok := tableField(t, table[0]); {
		case !ok:
			return nil
		case field.Kind() == reflect.Map && len(table) > 1 && field.Elem().Kind() == reflect.Struct: // account.NAME
			t, table = field.Elem(), table[2:]
		case field.Kind() == reflect.Struct:
			t, table = field, table[1:]
		default:
			return nil
		}
	}
	return t
}

// tableField returns the type of a key of a structure, without pointers.
func tableField(t reflect.Type, key string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if field := t.Field(i); field.Tag.Get("toml") == key {
			if field.Type.Kind() == reflect.Pointer {
				return field.Type.Elem(), true
			}
			return field.Type, true
		}
	}
	return nil, false
}

// valueType returns the type of the value of a key; nil if the key is free or unknown.
func (s *schema) valueType(path []string) reflect.Type {
	t := s.tableType(path[:len(path)-1])
	if t == nil {
		return nil
	}
	field, _ := tableField(t, path[len(path)-1])
	return field
}

// kindError returns an error that names the kind of value of a key.
func (s *schema) kindError(path []string) error {
	if t := s.valueType(path); t != nil {
		switch t.Kind() {
		case reflect.String:
			return localerr.New("want a text in quotes")
		case reflect.Bool:
			return localerr.New("want true or false")
		case reflect.Int:
			return localerr.New("want a number")
		case reflect.Slice:
			return localerr.New(`want a list like ["a", "b"]`)
		}
	}
	return localerr.New("want a table")
}

// isLiteral reports whether a value is written as it is, without quotes.
func (s *schema) isLiteral(path []string, value string) bool {
	t := s.valueType(path)
	switch {
	case t == nil, t.Kind() == reflect.String:
		return false
	case t.Kind() == reflect.Interface: // save_sent, netrc: a text, or true and false
		return value == "true" || value == "false"
	}
	return true
}

// ownSchema returns the format that the file is read in.
func (f *File) ownSchema() *schema {
	if f.format == nil {
		return accountSchema()
	}
	return f.format
}
