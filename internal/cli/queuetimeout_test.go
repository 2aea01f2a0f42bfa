package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/sandboxtest"
)

// A run with --timeout ends in time although the server does not reply. Its status says that
// messages are left.
func TestQueueRunTimeout(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"en":     "The --timeout has expired: the remaining messages stay in the outbox",
		"zh":     "已超过 --timeout 规定的时间：",
		"--json": `"exit":75`,
		"-q":     "",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t, "plain", sandboxtest.WithFault("greeting-stall*1"))
			env := clitest.WriteConfig(t, "[account.one]\nfrom = \"one@example.org\"\n{one}\n", map[string]*sandboxtest.Server{"one": s})
			env["YAN_OUTBOX"] = filepath.Join(t.TempDir(), "o.db")
			if code, out, errs := run(t.Context(), env, "send", "--queue", "-t", "a@example.org", "-b", "x"); code != command.ExitOK {
				t.Fatalf("exit status %d\n%s%s", code, out, errs)
			}
			args := []string{"queue", "run", "--timeout", "3s"} // a slow machine opens the outbox in this time
			if strings.HasPrefix(format, "-") {
				args = append(args, format)
			} else {
				env["LANG"] = format
			}
			w, printed, problems := testEnv(env)
			w.After = func(d time.Duration) <-chan time.Time {
				if d == 30*time.Second { // the grace period of messages in flight
					over := make(chan time.Time)
					close(over)
					return over
				}
				return time.After(d)
			}
			code := Run(t.Context(), args, w)
			out, errs := printed.String(), problems.String()
			if code != command.ExitTemporary || !strings.Contains(out+errs, want) || want == "" && out+errs != "" {
				t.Errorf("exit status %d\n%s%s", code, out, errs)
			}
			if format == "--json" {
				lines := strings.Split(strings.TrimSpace(out), "\n")
				var last jsonout.QueueDrained
				if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Left != 1 || last.Exit != command.ExitTemporary {
					t.Errorf("%v %+v", err, last)
				}
			}
		})
	}
}

// A timeout that is long enough changes nothing.
func TestQueueRunInTime(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	env := clitest.WriteConfig(t, "[account.one]\nfrom = \"one@example.org\"\n{one}\n", map[string]*sandboxtest.Server{"one": s})
	env["YAN_OUTBOX"] = filepath.Join(t.TempDir(), "o.db")
	run(t.Context(), env, "send", "--queue", "-t", "a@example.org", "-b", "x")
	if code, out, errs := run(t.Context(), env, "queue", "run", "--timeout", "1h"); code != command.ExitOK || len(s.Messages()) != 1 || errs != "" {
		t.Errorf("exit status %d\n%s%s", code, out, errs)
	}
}

func TestQueueRunTimeoutIsATime(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"0", "-1s", "0s"} {
		if code, out, errs := run(t.Context(), nil, "queue", "run", "--timeout="+value); code != command.ExitUsage {
			t.Errorf("%s: exit status %d\n%s%s", value, code, out, errs)
		}
	}
}
