package main

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/yanmail/yan/internal/replytable"
)

// schemaVersion is the version of the sources that this program reads.
const schemaVersion = 1

// classesFile is the form of classes.yaml.
type classesFile struct {
	Schema   int         `yaml:"schema"`
	Classes  []classYAML `yaml:"classes"`
	Enhanced []ruleYAML  `yaml:"enhanced"`
	Codes    []ruleYAML  `yaml:"codes"`
	Errors   []errorYAML `yaml:"errors"`
}

type textYAML struct {
	EN string `yaml:"en"`
	ZH string `yaml:"zh"`
}

func (t textYAML) text() replytable.Bilingual { return replytable.Bilingual(t) }

type classYAML struct {
	Class      string   `yaml:"class"`
	Scope      string   `yaml:"scope"`
	Retry      string   `yaml:"retry"`
	After      string   `yaml:"after"`
	Permanence string   `yaml:"permanence"`
	Cause      textYAML `yaml:"cause"`
	Advice     textYAML `yaml:"advice"`
}

type ruleYAML struct {
	Code  string   `yaml:"code"`
	At    []string `yaml:"at"`
	Only  int      `yaml:"only"`
	Class string   `yaml:"class"`
	Scope string   `yaml:"scope"`
}

type errorYAML struct {
	Kind  string   `yaml:"kind"`
	Class string   `yaml:"class"`
	Scope string   `yaml:"scope"`
	Hint  textYAML `yaml:"hint"`
	// Cause and Advice replace or extend those of the class.
	Cause  textYAML `yaml:"cause"`
	Advice textYAML `yaml:"advice"`
}

// repliesFile is the form of replies.yaml.
type repliesFile struct {
	Schema   int           `yaml:"schema"`
	Sections []sectionYAML `yaml:"sections"`
}

type sectionYAML struct {
	Section   string    `yaml:"section"`
	Providers []string  `yaml:"providers"`
	At        []string  `yaml:"at"`
	Source    string    `yaml:"source"`
	Rows      []rowYAML `yaml:"rows"`
}

type rowYAML struct {
	Row       string   `yaml:"row"`
	Providers []string `yaml:"providers"`
	At        []string `yaml:"at"`
	Code      []int    `yaml:"code"`
	Enhanced  []string `yaml:"enhanced"`
	Text      []string `yaml:"text"`
	Match     []string `yaml:"match"`
	AnyCode   bool     `yaml:"any_code"`
	Only      bool     `yaml:"only"`
	Errors    []string `yaml:"errors"`
	Class     string   `yaml:"class"`
	Retry     string   `yaml:"retry"`
	After     string   `yaml:"after"`
	Scope     string   `yaml:"scope"`
	Hint      textYAML `yaml:"hint"`
	Status    string   `yaml:"status"`
	Source    string   `yaml:"source"`
}

// readSource parses a source; an unknown key is an error.
func readSource(name string, source []byte, to any) error {
	d := yaml.NewDecoder(bytes.NewReader(source))
	d.KnownFields(true)
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
