package account

import (
	"reflect"
	"strconv"
	"strings"
)

// key describes one key of an account. The table of [accountKeys] is the only list of
// keys: parsing, errors about unknown keys, [File.Put], [File.Set], [Keys] and
// [File.Settings], `yan account` and shell completion are all made from it.
type key struct {
	name  string
	label Label
	// kind is the type to which TOML decodes the value; nil in it means that the key is not set.
	kind reflect.Type
	// set stores the decoded value in an account.
	set func(a *Account, value any) error
	// toml returns the value as the file has it, "" if another key holds it. Of header
	// fields it returns those that differ from the inherited ones.
	toml func(a, inherited Account) string
	// text returns the value for people; "" means none.
	text func(a Account) string
	// json returns the value for programs; zero means none. Its field is called name if
	// jsonName is "".
	json     func(a Account) any
	jsonName string
	// check returns an error for an unusable value; nil accepts every value.
	check func(a Account) error

	alwaysJSON bool   // the field is there even if it is zero
	ownOnly    bool   // can't be set in [defaults]
	hidden     bool   // the text may hold a secret
	replaces   string // the key that this one replaces
	both       error  // the error if both are set
}

// Label is the short name of a key for people.
type Label struct{ EN, ZH string }

// textKey describes a key with a text.
func textKey[T ~string](name string, label Label, field func(*Account) *T) key {
	return key{
		name: name, label: label, kind: reflect.TypeFor[*string](),
		set:  func(a *Account, value any) error { *field(a) = T(value.(string)); return nil },
		toml: func(a, _ Account) string { return quoteTOML(string(*field(&a))) },
		text: func(a Account) string { return string(*field(&a)) },
		json: func(a Account) any { return string(*field(&a)) },
	}
}

// parsedKey describes a key whose text is parsed and formatted by functions.
func parsedKey[T any](name string, label Label, field func(*Account) *T, parse func(string) (T, error), format func(T) string) key {
	k := key{name: name, label: label, kind: reflect.TypeFor[*string]()}
	k.set = func(a *Account, value any) (err error) {
		*field(a), err = parse(value.(string))
		return err
	}
	k.text = func(a Account) string { return format(*field(&a)) }
	k.toml = func(a, _ Account) string { return quoteTOML(k.text(a)) }
	k.json = func(a Account) any { return k.text(a) }
	return k
}

// switchKey describes a Boolean key; usual is its default, and the field of the account is true
// if the value is not the default.
func switchKey(name string, label Label, usual bool, field func(*Account) *bool) key {
	return key{
		name: name, label: label, kind: reflect.TypeFor[*bool](),
		set:  func(a *Account, value any) error { *field(a) = value.(bool) != usual; return nil },
		toml: func(a, _ Account) string { return strconv.FormatBool(*field(&a) != usual) },
		text: func(a Account) string {
			if !*field(&a) {
				return ""
			}
			return strconv.FormatBool(!usual)
		},
		json: func(a Account) any { return *field(&a) },
	}
}

// numberKey describes a key with a number; 0 means the default.
func numberKey(name string, label Label, field func(*Account) *int) key {
	return key{
		name: name, label: label, kind: reflect.TypeFor[*int](),
		set:  func(a *Account, value any) error { *field(a) = value.(int); return nil },
		toml: func(a, _ Account) string { return strconv.Itoa(*field(&a)) },
		text: func(a Account) string {
			if *field(&a) <= 0 {
				return ""
			}
			return strconv.Itoa(*field(&a))
		},
		json: func(a Account) any { return *field(&a) },
	}
}

// listKey describes a key with a list of texts.
func listKey(name string, label Label, field func(*Account) *[]string) key {
	return key{
		name: name, label: label, kind: reflect.TypeFor[*[]string](),
		set:  func(a *Account, value any) error { *field(a) = value.([]string); return nil },
		toml: func(a, _ Account) string { return quoteAll(*field(&a)) },
		text: func(a Account) string { return strings.Join(*field(&a), ", ") },
		json: func(a Account) any { return *field(&a) },
	}
}

// withCheck returns the key with a check of the account.
func (k key) withCheck(check func(Account) error) key {
	k.check = check
	return k
}
