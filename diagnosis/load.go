package diagnosis

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/yanmail/yan/smtp"
)

//go:embed diagnosis.json
var diagnosisJSON []byte

// Document is the form of diagnosis.json.
type Document struct {
	Classes  []ClassInfo    `json:"classes"`
	Enhanced []EnhancedRule `json:"enhanced"`
	Codes    []CodeRule     `json:"codes"`
	Errors   []ErrorRule    `json:"errors"`
	Rows     []Row          `json:"rows"`
}

// ClassInfo is what is known about a class.
type ClassInfo struct {
	Class Class `json:"class"`
	// Scope is "" where the stage says it.
	Scope Scope `json:"scope,omitempty"`
	// Retry is the default.
	Retry Retry `json:"retry"`
	// Permanence is "" where it follows from the retry.
	Permanence Permanence `json:"permanence,omitempty"`
	Cause      Text       `json:"cause"`
	Advice     Text       `json:"advice"`
}

// Row is one reply, or one error, that is known, with what it means.
type Row struct {
	// ID is section and row: "3b.12", with a letter for a variant: "5.9c".
	ID string `json:"id"`
	// Providers are IDs; empty for software that anybody may run.
	Providers []string     `json:"providers,omitempty"`
	At        []smtp.Stage `json:"at"`
	// Codes are the reply codes; empty for errors and for what is no reply.
	Codes []int `json:"codes,omitempty"`
	// Enhanced are codes like "5.7.1", "x.7.26" and "x.7.500-699".
	Enhanced []string `json:"enhanced,omitempty"`
	// Texts are real ones, with * for what varies.
	Texts []string `json:"texts,omitempty"`
	// Match are the words to look for, lower case, with * too.
	Match   []string `json:"match,omitempty"`
	AnyCode bool     `json:"any_code,omitempty"`
	// Only: the row says nothing about other providers.
	Only bool `json:"only,omitempty"`
	// Errors are kinds of error, see [ErrorRule].
	Errors []string `json:"errors,omitempty"`
	Class  Class    `json:"class"`
	Retry  Retry    `json:"retry"`
	Scope  Scope    `json:"scope,omitempty"`
	Hint   Text     `json:"hint,omitzero"`
	// Status of the texts: "V" seen, "P" pattern, "U" not confirmed.
	Status string `json:"status"`
	Source string `json:"source,omitempty"`
}

// EnhancedRule is what an enhanced code means.
type EnhancedRule struct {
	Code  string       `json:"code"` // without its class: "7.8"
	At    []smtp.Stage `json:"at,omitempty"`
	Only  int          `json:"only,omitempty"` // 4 or 5; 0 for both
	Class Class        `json:"class"`
	Scope Scope        `json:"scope,omitempty"`
}

// CodeRule is what a reply code usually means at some stages; none means all.
type CodeRule struct {
	Code  string       `json:"code"` // "535", "55x", "4xx"
	At    []smtp.Stage `json:"at,omitempty"`
	Class Class        `json:"class"`
	Scope Scope        `json:"scope,omitempty"`
}

// ErrorRule is what a kind of error on this side means.
type ErrorRule struct {
	Kind  string `json:"kind"`
	Class Class  `json:"class"`
	Scope Scope  `json:"scope,omitempty"`
	Hint  Text   `json:"hint,omitzero"`
	// Cause and Advice are empty where those of the class hold.
	Cause  Text `json:"cause,omitzero"`
	Advice Text `json:"advice,omitzero"`
}

// knowledge is the document as parsed. It is never written after it is made.
type knowledge struct {
	Document
	class map[Class]ClassInfo
}

// facts parses the embedded file at its first use. The generator checked it
// and a test holds it to its sources, so a fault in it is a fault in the build.
var facts = sync.OnceValue(load)

func load() *knowledge {
	k := &knowledge{class: map[Class]ClassInfo{}}
	if err := json.Unmarshal(diagnosisJSON, &k.Document); err != nil {
		panic(fmt.Sprintf("diagnosis: embedded diagnosis.json: %v", err))
	}
	for _, c := range k.Classes {
		k.class[c.Class] = c
	}
	return k
}

// Describe is what is known about a class; ok is false for another word.
func Describe(c Class) (info ClassInfo, ok bool) {
	info, ok = facts().class[c]
	return info, ok
}

// Rows lists every row, in the order of replies.yaml.
func Rows() []Row {
	rows := slices.Clone(facts().Rows)
	for i := range rows {
		r := &rows[i]
		r.Providers, r.At, r.Codes = slices.Clone(r.Providers), slices.Clone(r.At), slices.Clone(r.Codes)
		r.Enhanced, r.Texts, r.Match = slices.Clone(r.Enhanced), slices.Clone(r.Texts), slices.Clone(r.Match)
		r.Errors = slices.Clone(r.Errors)
	}
	return rows
}
