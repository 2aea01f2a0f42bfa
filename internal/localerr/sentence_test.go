package localerr

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
)

// backwards is a language of few words.
func backwards(english string, args ...any) string {
	twin, ok := map[string]string{
		"it is empty":       "emptysi ti",
		"line %d: %w":       "%[2]v :%[1]d enil",
		"%q: want %s":       "%[2]s tnaw :%[1]q",
		"a number":          "rebmun a",
		"100% sure":         "erus %001",
		"%d%% of the lines": "senil eht fo %d%%",
		"%w and %w":         "%[2]v dna %[1]v",
	}[english]
	if !ok {
		twin = english
	}
	if len(args) == 0 {
		return twin
	}
	return fmt.Sprintf(twin, args...)
}

// hides is an error with another text than the error that it wraps.
type hides struct{ error }

func (hides) Error() string   { return "**** is hidden" }
func (h hides) Unwrap() error { return h.error }

func TestSay(t *testing.T) {
	t.Parallel()
	empty := New("it is empty")
	for _, test := range []struct {
		err           error
		english, said string
	}{
		{nil, "", ""},
		{empty, "it is empty", "emptysi ti"},
		{New("100% sure"), "100% sure", "erus %001"},
		{Errorf("%d%% of the lines", 3), "3% of the lines", "senil eht fo 3%"},
		{Errorf("line %d: %w", 3, empty), "line 3: it is empty", "emptysi ti :3 enil"},
		{Errorf("line %d: %w", 3, io.EOF), "line 3: EOF", "EOF :3 enil"},
		{Errorf("%q: want %s", "x", New("a number")), `"x": want a number`, `rebmun a tnaw :"x"`},
		{Errorf("%w and %w", empty, fs.ErrExist), "it is empty and file already exists", "file already exists dna emptysi ti"},
		{Errorf("unknown here: %w", empty), "unknown here: it is empty", "unknown here: emptysi ti"},
		{fmt.Errorf("a.toml: %w", Errorf("line %d: %w", 3, empty)), "a.toml: line 3: it is empty", "a.toml: emptysi ti :3 enil"},
		{errors.Join(io.EOF, empty), "EOF\nit is empty", "EOF\nemptysi ti"},
		{errors.New("it is empty"), "it is empty", "it is empty"}, // not made by this package
		{hides{empty}, "**** is hidden", "**** is hidden"},
	} {
		if test.err != nil && test.err.Error() != test.english {
			t.Errorf("got %q, want %q", test.err, test.english)
		}
		if got := Say(test.err, backwards); got != test.said {
			t.Errorf("%v: Say returned %q, want %q", test.err, got, test.said)
		}
	}
}

func TestWhatIsWrappedIsFound(t *testing.T) {
	t.Parallel()
	empty := New("it is empty")
	for _, err := range []error{empty, Errorf("line %d: %w", 3, empty), Errorf("%w and %w", io.EOF, empty), fmt.Errorf("x: %w", Errorf("y: %w", empty))} {
		if !errors.Is(err, empty) {
			t.Errorf("%v does not wrap it", err)
		}
	}
	if errors.Is(empty, New("it is empty")) || errors.Is(Errorf("%v", empty), empty) {
		t.Error("two different errors are equal")
	}
	var path *fs.PathError
	if !errors.As(Errorf("reading it: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}), &path) {
		t.Error("errors.As does not find the wrapped error")
	}
}
