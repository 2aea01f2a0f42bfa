package diagnosis

import (
	_ "embed"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/replytable"
)

// ClassInfo holds the facts about a class.
type ClassInfo struct {
	Class Class `json:"class"`
	// Scope is "" if the stage decides it.
	Scope Scope `json:"scope,omitempty"`
	// Retry is the default.
	Retry Retry `json:"retry"`
	// Permanence is "" if it follows from the retry.
	Permanence Permanence `json:"permanence,omitempty"`
	Cause      Text       `json:"cause"`
	Advice     Text       `json:"advice"`
}

// knowledge is the parsed table. It never changes.
type knowledge struct {
	replytable.ReplyTable
	class map[Class]ClassInfo
}

// facts parses the table at its first use.
var facts = sync.OnceValue(loadTable)

func loadTable() *knowledge {
	k := &knowledge{ReplyTable: replytable.Load(), class: map[Class]ClassInfo{}}
	for _, c := range k.Classes {
		k.class[Class(c.Class)] = ClassInfo{Class: Class(c.Class), Scope: Scope(c.Scope), Retry: retryOf(c.Retry),
			Permanence: Permanence(c.Permanence), Cause: Text(c.Cause), Advice: Text(c.Advice)}
	}
	return k
}

func retryOf(r replytable.RetryRule) Retry {
	return Retry{Kind: RetryKind(r.Kind), After: time.Duration(r.AfterSeconds) * time.Second}
}

// Describe returns the facts about a class; ok is false for an unknown word.
func Describe(c Class) (info ClassInfo, ok bool) {
	info, ok = facts().class[c]
	return info, ok
}
