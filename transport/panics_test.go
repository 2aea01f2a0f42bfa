package transport

import (
	"fmt"
	"io"
	"testing"
	"time"
)

// bad is a message whose text panics when it is written.
type bad struct{ size int64 }

func (b bad) Size() int64                      { return b.size }
func (bad) EightBit() bool                     { return false }
func (bad) NeedsSMTPUTF8() bool                { return false }
func (bad) WriteTo(w io.Writer) (int64, error) { panic("in the text") }

// A panic in a goroutine of the transport is one of the caller's: it does not end the
// process, and says where it happened. Small messages are written by the worker, large ones
// by another goroutine.
func TestPanicOfAMessageIsTheCallers(t *testing.T) {
	t.Parallel()
	for _, caps := range [][]string{nil, {"PIPELINING"}, {"PIPELINING", "CHUNKING"}} {
		for _, size := range []int64{100, 100_000} {
			t.Run(fmt.Sprint(caps, size), func(t *testing.T) {
				t.Parallel()
				f := &fake{caps: caps}
				s := f.transport(t, Options{MaxConnections: 2})
				list := mails(t, 8)
				list[3].Content = bad{size}
				ended := make(chan any, 1)
				go func() {
					defer func() { ended <- recover() }()
					for range s.SendAll(t.Context(), each(list)) {
					}
				}()
				select {
				case v := <-ended:
					c, ok := v.(interface{ PanicStack() []byte })
					if !ok || fmt.Sprint(v) != "in the text" || len(c.PanicStack()) == 0 {
						t.Errorf("the loop ended with %v", v)
					}
				case <-time.After(time.Minute):
					t.Fatal("the loop did not end")
				}
			})
		}
	}
}
