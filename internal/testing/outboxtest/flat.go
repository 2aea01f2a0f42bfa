package outboxtest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// flatten writes a value as lines of path and value, so that two values can be compared and their
// difference read. Times are in UTC and milliseconds; cursors are left out; empty and nil are
// alike. If ids is not nil, IDs are translated with it.
func flatten(v any, ids map[queue.ID]queue.ID) []string {
	f := flattener{ids: ids}
	f.add("", reflect.ValueOf(v))
	return f.lines
}

type flattener struct {
	ids   map[queue.ID]queue.ID
	lines []string
}

func (f *flattener) add(path string, v reflect.Value) {
	if !v.IsValid() {
		return
	}
	put := func(value any) { f.lines = append(f.lines, fmt.Sprintf("%s: %v", path, value)) }
	switch x := v.Interface().(type) {
	case time.Time:
		if !x.IsZero() {
			put(x.UTC().Format("2006-01-02 15:04:05.000"))
		}
		return
	case smtp.Address:
		put(fmt.Sprintf("%q (%s)", x, x.ASCIIDomain()))
		return
	case queue.ID:
		if known, ok := f.ids[x]; ok {
			x = known
		}
		put(x)
		return
	case queue.Cursor:
		return
	case []byte:
		put(fmt.Sprintf("%d octets %x", len(x), sha256.Sum256(x)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.add(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Interface:
		f.add(path, v.Elem())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			put(i)
			f.add(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, key := range keys {
			f.add(fmt.Sprintf("%s[%v]", path, key), v.MapIndex(key))
		}
	default:
		put(fmt.Sprintf("%#v", v.Interface()))
	}
}

// lineDifference returns the lines that only one of the two has; "" if none.
func lineDifference(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	var b strings.Builder
	for _, side := range []struct {
		sign string
		has  []string
		not  []string
	}{{"want", want, got}, {"got ", got, want}} {
		other := map[string]bool{}
		for _, line := range side.not {
			other[line] = true
		}
		shown := 0
		for _, line := range side.has {
			if !other[line] && shown < 12 {
				shown++
				fmt.Fprintf(&b, "\n  %s %s", side.sign, line)
			}
		}
	}
	return b.String()
}

// errorProperties returns the properties of an error that callers can distinguish.
func errorProperties(err error, ids map[queue.ID]queue.ID) string {
	if err == nil {
		return "no error"
	}
	var move *queue.StateError
	if errors.As(err, &move) {
		return strings.Join(flatten(*move, ids), " ")
	}
	for _, known := range []error{
		queue.ErrConflict, queue.ErrFull, queue.ErrBroken, queue.ErrNotFound, queue.ErrNoBody, outbox.ErrLapsed, queue.ErrClosed, queue.ErrCopied,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "another error"
}
