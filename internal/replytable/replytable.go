// Package replytable is the data of package diagnosis: the known replies and errors, and
// their meaning. The table is generated: edit diagnosis/classes.yaml and
// diagnosis/replies.yaml, then run `go generate ./diagnosis`.
//
// Classes, scopes and kinds of retry are plain words here. Package diagnosis has the types.
package replytable

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/yanmail/yan/smtp"
)

//go:embed replytable.json
var tableJSON []byte

// ReplyTable is the content of replytable.json.
type ReplyTable struct {
	Classes  []ClassRule    `json:"classes"`
	Enhanced []EnhancedRule `json:"enhanced"`
	Codes    []CodeRule     `json:"codes"`
	Errors   []ErrorRule    `json:"errors"`
	Rows     []Row          `json:"rows"`
}

// Bilingual is a sentence in both languages.
type Bilingual struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// RetryRule says whether and when to try again.
type RetryRule struct {
	Kind         string `json:"kind"`
	AfterSeconds int64  `json:"after_seconds,omitempty"` // the minimum pause of a delay
}

// ClassRule is a kind of failure.
type ClassRule struct {
	Class string `json:"class"`
	// Scope is "" if the stage decides it.
	Scope string `json:"scope,omitempty"`
	// Retry is the default.
	Retry RetryRule `json:"retry"`
	// Permanence is "" if it follows from the retry.
	Permanence string    `json:"permanence,omitempty"`
	Cause      Bilingual `json:"cause"`
	Advice     Bilingual `json:"advice"`
}

// Row is a known reply, or a known error, and its meaning.
type Row struct {
	// ID is section and row: "3b.12", with a letter for a variant: "5.9c".
	ID string `json:"id"`
	// Providers are IDs of package provider; empty for software that any operator may run.
	Providers []string     `json:"providers,omitempty"`
	At        []smtp.Stage `json:"at"`
	// Codes are the reply codes; empty for errors and for failures without a reply.
	Codes []int `json:"codes,omitempty"`
	// Enhanced are codes like "5.7.1", "x.7.26" and "x.7.500-699".
	Enhanced []string `json:"enhanced,omitempty"`
	// Texts are real replies; * replaces the parts that vary.
	Texts []string `json:"texts,omitempty"`
	// Match are the words to look for, in lower case, with * too.
	Match   []string `json:"match,omitempty"`
	AnyCode bool     `json:"any_code,omitempty"`
	// Only: the row applies to its providers only.
	Only bool `json:"only,omitempty"`
	// Errors are kinds of error, see [ErrorRule].
	Errors []string  `json:"errors,omitempty"`
	Class  string    `json:"class"`
	Retry  RetryRule `json:"retry"`
	Scope  string    `json:"scope,omitempty"`
	Hint   Bilingual `json:"hint,omitzero"`
	// Status of the texts: "V" seen, "P" pattern, "U" not confirmed.
	Status string `json:"status"`
	Source string `json:"source,omitempty"`
}

// EnhancedRule is the meaning of an enhanced code.
type EnhancedRule struct {
	Code  string       `json:"code"` // without its class: "7.8"
	At    []smtp.Stage `json:"at,omitempty"`
	Only  int          `json:"only,omitempty"` // 4 or 5; 0 for both
	Class string       `json:"class"`
	Scope string       `json:"scope,omitempty"`
}

// CodeRule is the usual meaning of a reply code at some stages; none means all.
type CodeRule struct {
	Code  string       `json:"code"` // "535", "55x", "4xx"
	At    []smtp.Stage `json:"at,omitempty"`
	Class string       `json:"class"`
	Scope string       `json:"scope,omitempty"`
}

// ErrorRule is the meaning of a kind of error on this side.
type ErrorRule struct {
	Kind  string    `json:"kind"`
	Class string    `json:"class"`
	Scope string    `json:"scope,omitempty"`
	Hint  Bilingual `json:"hint,omitzero"`
	// Cause and Advice are empty if those of the class apply.
	Cause  Bilingual `json:"cause,omitzero"`
	Advice Bilingual `json:"advice,omitzero"`
}

// Load parses the table. The generator checked it, and a test compares it with its
// sources, so a fault in it is a fault in the build.
func Load() ReplyTable {
	var t ReplyTable
	if err := json.Unmarshal(tableJSON, &t); err != nil {
		panic(fmt.Sprintf("replytable: replytable.json: %v", err))
	}
	return t
}
