// Package jsonout has the types of everything that --json prints. docs/json.md
// describes them: fields are added, never renamed or removed, and no language changes
// them.
package jsonout
