package jsonout

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/yanmail/yan/account"
)

// Import is the output of account import.
type Import struct {
	Program  string        `json:"program"`
	Files    []string      `json:"files"`
	Accounts []ImportFound `json:"accounts"`
	Notes    []ImportNote  `json:"notes"`
}

// ImportFound is an account that import found.
type ImportFound struct {
	Name    string       `json:"name"`
	From    string       `json:"from,omitempty"`
	Server  string       `json:"server"`
	User    string       `json:"user,omitempty"`
	Secret  string       `json:"secret"` // "password", "command", "netrc" or "none"
	Default bool         `json:"default"`
	File    string       `json:"file"`
	Line    int          `json:"line"`
	Kept    bool         `json:"kept"`
	Notes   []ImportNote `json:"notes"`
}

// ImportNote has the words of settingsimport.Reason.
type ImportNote struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Setting string `json:"setting,omitempty"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail,omitempty"`
	Count   int    `json:"count,omitempty"`
}

// AccountTest is the output for each account.
type AccountTest struct {
	Account   string     `json:"account"`
	OK        bool       `json:"ok"`
	Exit      int        `json:"exit"`
	Server    string     `json:"server"`
	User      string     `json:"user,omitempty"`
	From      string     `json:"from"`
	Stage     string     `json:"stage"`
	Code      int        `json:"code,omitempty"`
	Text      string     `json:"text,omitempty"`
	Error     string     `json:"error,omitempty"`
	Took      int64      `json:"took_ms"`
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
}

// AccountSettings is an account in the output of list, show and config show: these
// fields and those of Keys that have no field here.
type AccountSettings struct {
	Name      string            `json:"name"`
	Default   bool              `json:"default"`
	Server    string            `json:"server"` // as a URL
	Provider  string            `json:"provider,omitempty"`
	User      string            `json:"user,omitempty"` // the login name
	Secret    AccountSecret     `json:"secret"`
	OAuth2    *AccountOAuth2    `json:"oauth2,omitempty"`
	Keys      []account.Setting `json:"-"`
	Inherited []string          `json:"inherited,omitempty"`
}

// MarshalJSON writes the fields in the order of Keys.
func (s AccountSettings) MarshalJSON() ([]byte, error) {
	o := object{}
	value, keys := reflect.ValueOf(s), s.Keys
	for i := range value.NumField() {
		name, option, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		before := slices.IndexFunc(keys, func(k account.Setting) bool { return k.JSONName == name })
		if name == "-" {
			before = len(keys)
		}
		for range before {
			o.add(keys[0].JSONName, keys[0].JSON, keys[0].Always)
			keys = keys[1:]
		}
		if name == "-" {
			continue
		}
		o.add(name, value.Field(i).Interface(), option == "")
		if before >= 0 {
			keys = keys[1:]
		}
	}
	return o.bytes()
}

// object is a JSON object with its fields in the order of the calls to add.
type object struct {
	text bytes.Buffer
	err  error
}

// add adds a field; an empty one only if always is set, and nil never.
func (o *object) add(name string, value any, always bool) {
	if value == nil || !always && isEmpty(reflect.ValueOf(value)) || o.err != nil {
		return
	}
	e := json.NewEncoder(&o.text)
	e.SetEscapeHTML(false)
	o.text.WriteByte(',')
	o.err = e.Encode(name)
	o.text.WriteByte(':')
	o.err = errors.Join(o.err, e.Encode(value))
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

func (o *object) bytes() ([]byte, error) {
	return append(append([]byte("{"), bytes.TrimPrefix(o.text.Bytes(), []byte(","))...), '}'), o.err
}

// AccountSecret is the place of a secret, never the secret itself.
type AccountSecret struct {
	Kind  string `json:"kind"`            // "kept", "command", "file", "env", "netrc", "credential", "oauth2" or "none"
	Place string `json:"place,omitempty"` // the file, variable, …
	State string `json:"state,omitempty"` // in yan account show
}

// AccountOAuth2 is the registration without its secret.
type AccountOAuth2 struct {
	ClientID string   `json:"client_id"`
	Tenant   string   `json:"tenant,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
}

// ConfigShown is the output of config show.
type ConfigShown struct {
	Path     string `json:"path"`
	Exists   bool   `json:"exists"`
	Version  int    `json:"version"`
	Default  string `json:"default,omitempty"`
	Accounts []any  `json:"accounts"` // each a Settings
}

// Check is the output of config check.
type Check struct {
	Path     string          `json:"path"`
	OK       bool            `json:"ok"`
	Accounts []string        `json:"accounts"`
	Problems []ConfigProblem `json:"problems"`
}

// ConfigProblem is a finding of config check.
type ConfigProblem struct {
	Severity string `json:"severity"` // "error" or "warning"
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Account  string `json:"account,omitempty"`
	Key      string `json:"key,omitempty"`
	Fault    string `json:"fault,omitempty"` // of account.ParseError
	Text     string `json:"text"`
}

// AccountAdded is the output of yan login and account add.
type AccountAdded struct {
	Event   string `json:"event"` // "account"
	Name    string `json:"name"`
	From    string `json:"from"`
	Server  string `json:"server"`
	User    string `json:"user"`
	Secret  string `json:"secret"` // "keyring", "encrypted file", "file", "command", …
	OAuth2  bool   `json:"oauth2"`
	Checked bool   `json:"checked"`
	Default bool   `json:"default"`
	Config  string `json:"config"`
}
