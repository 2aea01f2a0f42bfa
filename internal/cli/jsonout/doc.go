// Package jsonout has the types of all --json output. docs/json.md describes
// them: fields are added, never renamed or removed, and they don't depend on
// the language.
package jsonout
