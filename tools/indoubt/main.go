// Indoubt measures how many recipients end in doubt under kills and cut replies. Each round enqueues
// 20 messages with `yan send --queue` (every third enqueuer is killed) and kills `yan serve` after a
// random time, while a sandbox cuts some connections after it has taken a message. In the end it
// compares the outbox with the messages that the sandbox has.
//
//	go build -o /tmp/yan ../cmd/yan && go run ./indoubt -yan /tmp/yan -rounds 48 -seed 1
//
// It prints the shares and exits with 1 if a recipient got a message twice.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// messagesPerRound are enqueued in each round.
const messagesPerRound = 20

// leaseTime is the time after which the leases of killed workers have ended.
const leaseTime = 31 * time.Second

func main() {
	yan := flag.String("yan", "", "the program to measure")
	rounds := flag.Int("rounds", 48, "how often yan serve is killed")
	seed := flag.Uint64("seed", 1, "the seed of the random times")
	flag.Parse()
	dir, err := os.MkdirTemp("", "indoubt")
	if err == nil {
		err = measure(*yan, *rounds, *seed, dir)
		_ = os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "indoubt:", err)
		os.Exit(1)
	}
}

// course is one measurement, in a folder of its own.
type course struct {
	yan, dir string
	env      []string
	random   *rand.Rand
	login    string
	sent     int // messages written so far
}

func measure(yan string, rounds int, seed uint64, dir string) error {
	path, err := filepath.Abs(yan)
	if err != nil {
		return err
	}
	c := &course{yan: path, dir: dir, random: rand.New(rand.NewPCG(seed, 0)), env: append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+dir,
		"YAN_OUTBOX="+filepath.Join(dir, "outbox.db"), "YAN_CONFIG="+filepath.Join(dir, "config.toml"), "LC_ALL=C.UTF-8")}
	events, stop, err := c.startSandbox(max(1, rounds/3))
	if err != nil {
		return err
	}
	for round := range rounds {
		if err := c.runRound(round); err != nil {
			return err
		}
	}
	time.Sleep(leaseTime)
	for range 3 {
		_ = c.command("queue", "resume", "a").Run() // the account may not rest
		if err := c.command("queue", "run", "-q").Run(); err != nil && c.command("queue", "stats").Run() != nil {
			return err
		}
	}
	stop()
	return c.report(events)
}

// startSandbox starts a server that cuts cuts connections after a message, and writes the account. It
// returns the file of the sandbox's events.
func (c *course) startSandbox(cuts int) (events string, stop func(), err error) {
	events = filepath.Join(c.dir, "events")
	out, err := os.Create(events)
	if err != nil {
		return "", nil, err
	}
	ca := filepath.Join(c.dir, "ca.pem")
	cmd := c.command("sandbox", "--json", "-q", "--ca", ca, "--fault", fmt.Sprintf("body=cut*%d", cuts))
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = out.Close() }
	var start struct{ Login, Password, TLS string }
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		if b, _ := os.ReadFile(events); strings.Contains(string(b), "\n") {
			line, _, _ := strings.Cut(string(b), "\n")
			if err := json.Unmarshal([]byte(line), &start); err != nil {
				stop()
				return "", nil, err
			}
			break
		}
	}
	if start.TLS == "" {
		stop()
		return "", nil, fmt.Errorf("the sandbox does not say where it is")
	}
	c.login = start.Login
	server := url.URL{Scheme: "smtps", User: url.User(start.Login), Host: start.TLS}
	config := fmt.Sprintf("version = 1\n[account.a]\nfrom = %q\nserver = %q\nsecret = { file = \"code\" }\ntls_ca = \"ca.pem\"\n[outbox]\nmin_free = \"0\"\n", start.Login, server.String())
	for name, text := range map[string]string{"code": start.Password + "\n", "config.toml": config} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			stop()
			return "", nil, err
		}
	}
	return events, stop, nil
}

// runRound enqueues messages and delivers until yan serve is killed.
func (c *course) runRound(round int) error {
	folder := filepath.Join(c.dir, fmt.Sprint("mail", round))
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for range messagesPerRound {
		c.sent++
		text := fmt.Sprintf("From: %s\nTo: r%d@example.net\nDate: Mon, 30 Nov 2026 10:00:00 +0000\nMessage-ID: <m%d@example.org>\nSubject: %d\n\nhello\n", c.login, c.sent, c.sent, c.sent)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.eml", c.sent)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	enqueue := c.command("send", "--queue", "-q", "-A", "a", "--raw", folder)
	if err := enqueue.Start(); err != nil {
		return err
	}
	if round%3 == 2 {
		c.pause(20*time.Millisecond, 200*time.Millisecond)
		_ = enqueue.Process.Kill()
	}
	_ = enqueue.Wait()
	serve := c.command("serve")
	if err := serve.Start(); err != nil {
		return err
	}
	c.pause(50*time.Millisecond, 600*time.Millisecond)
	_ = serve.Process.Kill()
	_ = serve.Wait()
	return nil
}

func (c *course) pause(least, most time.Duration) {
	time.Sleep(least + time.Duration(c.random.Int64N(int64(most-least))))
}

func (c *course) command(args ...string) *exec.Cmd {
	cmd := exec.Command(c.yan, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// report compares the outbox with the messages that the sandbox has.
func (c *course) report(events string) error {
	has, twice, err := received(events)
	if err != nil {
		return err
	}
	stats, err := c.command("queue", "stats", "--json").Output()
	if err != nil {
		return err
	}
	list, err := c.command("queue", "list", "--all", "--state", "in_doubt", "--limit", "100000", "--json").Output()
	if err != nil {
		return err
	}
	inDoubt, never := map[string]bool{}, 0
	for _, word := range strings.FieldsFunc(string(list), func(r rune) bool { return strings.ContainsRune("\" ,{}[]:\n", r) }) {
		if strings.HasPrefix(word, "r") && strings.HasSuffix(word, "@example.net") && !inDoubt[word] {
			inDoubt[word] = true
			if !has[word] {
				never++
			}
		}
	}
	fmt.Printf("%s", stats)
	fmt.Printf("messages written: %d; recipients that the server has: %d; twice: %d\n", c.sent, len(has), twice)
	fmt.Printf("in doubt: %d (%.1f %%), of which the server never had %d\n", len(inDoubt), 100*float64(len(inDoubt))/float64(max(1, c.sent)), never)
	if twice > 0 {
		return fmt.Errorf("%d recipients got a message twice", twice)
	}
	return nil
}

// received reads the recipients of the messages that a sandbox has taken.
func received(events string) (has map[string]bool, twice int, err error) {
	f, err := os.Open(events)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	has = map[string]bool{}
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadString('\n')
		var e struct {
			Event string
			To    []string
		}
		if json.Unmarshal([]byte(line), &e) == nil && e.Event == "message" {
			for _, to := range e.To {
				if has[to] {
					twice++
				}
				has[to] = true
			}
		}
		if err == io.EOF {
			return has, twice, nil
		}
		if err != nil {
			return nil, 0, err
		}
	}
}
