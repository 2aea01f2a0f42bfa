package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/replytable"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// Convert converts the two sources to the JSON that is embedded, one entry per line.
func Convert(classesYAML, repliesYAML []byte) ([]byte, error) {
	var classes classesFile
	if err := readSource("classes.yaml", classesYAML, &classes); err != nil {
		return nil, err
	}
	var replies repliesFile
	if err := readSource("replies.yaml", repliesYAML, &replies); err != nil {
		return nil, err
	}
	if classes.Schema != schemaVersion || replies.Schema != schemaVersion {
		return nil, fmt.Errorf("schemas are %d and %d, this program reads %d", classes.Schema, replies.Schema, schemaVersion)
	}
	c := converter{classes: map[string]replytable.ClassRule{}, ids: map[string]bool{}}
	if err := c.convertClasses(classes); err != nil {
		return nil, fmt.Errorf("classes.yaml: %w", err)
	}
	for _, s := range replies.Sections {
		for _, r := range s.Rows {
			if err := c.convertRow(s, r); err != nil {
				return nil, fmt.Errorf("replies.yaml: %s.%s: %w", s.Section, r.Row, err)
			}
		}
	}
	return writeFile(c.doc)
}

type converter struct {
	doc     replytable.ReplyTable
	classes map[string]replytable.ClassRule
	ids     map[string]bool
}

func (c *converter) convertClasses(f classesFile) error {
	for _, y := range f.Classes {
		retry, err := retryOf(y.Retry, y.After)
		if err != nil {
			return fmt.Errorf("%s: %w", y.Class, err)
		}
		scope := y.Scope
		if scope == "stage" {
			scope = ""
		} else if scope == "" {
			return fmt.Errorf("%s: no scope", y.Class)
		}
		info := replytable.ClassRule{Class: y.Class, Scope: scope, Retry: retry, Permanence: y.Permanence,
			Cause: y.Cause.text(), Advice: y.Advice.text()}
		if _, taken := c.classes[y.Class]; taken || !slices.Contains(diagnosis.Classes(), diagnosis.Class(y.Class)) {
			return fmt.Errorf("class %q is unknown to the package, or stands twice", y.Class)
		}
		for _, s := range []string{info.Cause.EN, info.Cause.ZH, info.Advice.EN, info.Advice.ZH} {
			if s == "" || strings.ContainsAny(s, "\n") {
				return fmt.Errorf("%s: a sentence is missing or longer than a line", y.Class)
			}
		}
		c.classes[y.Class] = info
		c.doc.Classes = append(c.doc.Classes, info)
	}
	return errors.Join(c.convertRules(f), c.convertErrors(f))
}

func (c *converter) convertRules(f classesFile) error {
	for _, y := range f.Enhanced {
		at, err := parseStages(y.At)
		if err = errors.Join(err, c.checkKnown(y.Class, y.Scope)); err != nil {
			return fmt.Errorf("enhanced %s: %w", y.Code, err)
		}
		c.doc.Enhanced = append(c.doc.Enhanced, replytable.EnhancedRule{Code: y.Code, At: at, Only: y.Only, Class: y.Class, Scope: y.Scope})
	}
	for _, y := range f.Codes {
		at, err := parseStages(y.At)
		if err = errors.Join(err, c.checkKnown(y.Class, y.Scope)); err != nil {
			return fmt.Errorf("code %s: %w", y.Code, err)
		}
		c.doc.Codes = append(c.doc.Codes, replytable.CodeRule{Code: y.Code, At: at, Class: y.Class, Scope: y.Scope})
	}
	return nil
}

func (c *converter) convertErrors(f classesFile) error {
	for _, y := range f.Errors {
		if err := errors.Join(c.checkKnown(y.Class, y.Scope), parseKinds([]string{y.Kind}), bilingual(y.Hint), bilingual(y.Cause), bilingual(y.Advice)); err != nil {
			return fmt.Errorf("error %s: %w", y.Kind, err)
		}
		c.doc.Errors = append(c.doc.Errors, replytable.ErrorRule{Kind: y.Kind, Class: y.Class, Scope: y.Scope,
			Hint: y.Hint.text(), Cause: y.Cause.text(), Advice: y.Advice.text()})
	}
	return nil
}

func (c *converter) convertRow(s sectionYAML, y rowYAML) error {
	at, err := parseStages(or(y.At, s.At))
	if err != nil {
		return err
	}
	r := replytable.Row{ID: s.Section + "." + y.Row, Providers: or(y.Providers, s.Providers), At: at, Enhanced: y.Enhanced,
		Texts: y.Text, AnyCode: y.AnyCode, Only: y.Only, Errors: y.Errors, Class: y.Class, Scope: y.Scope,
		Hint: y.Hint.text(), Status: y.Status, Source: y.Source}
	if r.Source == "" {
		r.Source = s.Source
	}
	for _, m := range or(y.Match, y.Text) {
		r.Match = append(r.Match, normaliseText(m))
	}
	for _, code := range y.Code {
		if code != 0 {
			r.Codes = append(r.Codes, code)
		}
	}
	r.Retry = c.classes[y.Class].Retry
	if y.Retry != "" {
		if r.Retry, err = retryOf(y.Retry, y.After); err != nil {
			return err
		}
	}
	if c.ids[r.ID] {
		return errors.New("the row stands twice")
	}
	c.ids[r.ID] = true
	c.doc.Rows = append(c.doc.Rows, r)
	return c.checkRow(r, y)
}

// checkRow checks a row by the rules at the head of replies.yaml.
func (c *converter) checkRow(r replytable.Row, y rowYAML) error {
	for _, id := range r.Providers {
		if _, ok := provider.ByID(id); !ok {
			return fmt.Errorf("provider %q is unknown", id)
		}
	}
	switch {
	case len(r.At) == 0:
		return errors.New("no stage")
	case !slices.Contains([]string{"V", "P", "U"}, r.Status):
		return fmt.Errorf("status %q", r.Status)
	case len(r.Codes) == 0 && len(r.Errors) == 0:
		return errors.New("neither a code nor an error")
	case len(r.Codes) > 0 && len(r.Texts) == 0:
		return errors.New("no text")
	}
	for _, m := range r.Match {
		if strings.Trim(m, "* ") == "" {
			return errors.New("a pattern that fits everything")
		}
	}
	return errors.Join(c.checkKnown(r.Class, r.Scope), parseKinds(r.Errors), bilingual(y.Hint))
}

func (c *converter) checkKnown(class, scope string) error {
	if _, ok := c.classes[class]; !ok {
		return fmt.Errorf("class %q is unknown", class)
	}
	if scope != "" && !slices.Contains(diagnosis.Scopes(), diagnosis.Scope(scope)) {
		return fmt.Errorf("scope %q is unknown", scope)
	}
	return nil
}

func parseKinds(names []string) error {
	for _, n := range names {
		if !slices.Contains(diagnosis.ErrorKinds(), n) {
			return fmt.Errorf("kind of error %q is unknown", n)
		}
	}
	return nil
}

func bilingual(t textYAML) error {
	if (t.EN == "") != (t.ZH == "") {
		return errors.New("the hint has one language only")
	}
	return nil
}

// parseStages parses stage names and the words for groups of them.
func parseStages(words []string) ([]smtp.Stage, error) {
	var list []smtp.Stage
	for _, w := range words {
		switch stage := smtp.Stage(w); {
		case w == "session":
			list = append(list, smtp.StageConnect, smtp.StageTLS, smtp.StageGreeting, smtp.StageHello, smtp.StageStartTLS)
		case w == "message":
			list = append(list, smtp.StageMail, smtp.StageRcpt, smtp.StageData, smtp.StageBody)
		case w == "after":
			list = append(list, smtp.StageReset, smtp.StageQuit)
		case slices.Contains(smtp.Stages(), stage):
			list = append(list, stage)
		default:
			return nil, fmt.Errorf("stage %q is unknown", w)
		}
	}
	return list, nil
}

func retryOf(kind, after string) (replytable.RetryRule, error) {
	r := replytable.RetryRule{Kind: kind}
	if !slices.Contains(diagnosis.RetryKinds(), diagnosis.RetryKind(kind)) {
		return r, fmt.Errorf("retry %q is unknown", kind)
	}
	if (kind == string(diagnosis.RetryDelay)) != (after != "") {
		return r, errors.New("a delay, and only a delay, has an `after`")
	}
	if after == "" {
		return r, nil
	}
	d, err := time.ParseDuration(after)
	r.AfterSeconds = int64(d / time.Second)
	return r, err
}

func normaliseText(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

func or(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}

func writeFile(doc replytable.ReplyTable) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("{")
	err := errors.Join(writeList(&out, "classes", doc.Classes), writeList(&out, ",enhanced", doc.Enhanced),
		writeList(&out, ",codes", doc.Codes), writeList(&out, ",errors", doc.Errors), writeList(&out, ",rows", doc.Rows))
	out.WriteString("}\n")
	return out.Bytes(), err
}

// writeList writes one array; a comma before its name separates it from the previous one.
func writeList[T any](out *bytes.Buffer, name string, entries []T) error {
	word, isNext := strings.CutPrefix(name, ",")
	if isNext {
		out.WriteByte(',')
	}
	fmt.Fprintf(out, "%q:[\n", word)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for i, entry := range entries {
		if err := e.Encode(entry); err != nil {
			return err
		}
		out.Truncate(out.Len() - 1) // Encode adds a line end
		if i < len(entries)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	return nil
}
