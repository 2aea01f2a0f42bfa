// Command recording runs yan login against a local sandbox with scripted input, and
// yan demo --relay, and records the terminal as asciicasts (https://docs.asciinema.org)
// and as animated SVGs. The program is the real one. The typing has human pauses,
// and only these and the pauses before the demo's sections count as time, so that two
// recordings of one program look the same. Values that differ each time are replaced by
// those of the first recording: the milliseconds of the login, the Message-ID, ports,
// dates and the first letters of a token.
//
//	go run . -yan ../../dist/yan -out ../../docs
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
)

const (
	cols, rows = 84, 34
	demoRows   = 57     // the whole output of yan demo --relay
	port       = "4650" // of the sandbox; it is visible in the recording
)

func main() {
	log.SetFlags(0)
	program := flag.String("yan", "", "the program to record")
	out := flag.String("out", ".", "the folder for the recordings")
	still := flag.Int("still", -1, "draw this frame only")
	flag.Parse()
	for _, d := range dialogues() {
		if err := recordDialogue(*program, *out, *still, d); err != nil {
			log.Fatalf("%s: %v", d.file, err)
		}
	}
	for _, d := range demos() {
		if err := recordDemo(*program, *out, *still, d); err != nil {
			log.Fatalf("%s: %v", d.file, err)
		}
	}
}

// demo is a recording of a command that asks nothing.
type demo struct{ file, lang, title string }

func demos() []demo {
	return []demo{
		{"relay", "en_US.UTF-8", "yan demo --relay: a program that knows only passwords sends through Microsoft 365"},
		{"relay.zh-CN", "zh_CN.UTF-8", "yan demo --relay：只会用密码的程序通过 Microsoft 365 发信"},
	}
}

// dialogue is a list of inputs, each with the output to wait for first.
type dialogue struct {
	file, lang, title string
	steps             []inputStep
	send              string
	sent              string
}

type inputStep struct{ wait, types string }

const (
	wrongCode = "abcdabcdabcdabcd"
	rightCode = "yansandboxsecret"
)

func dialogues() []dialogue {
	return []dialogue{
		{"login", "en_US.UTF-8", "yan login: an account in a minute, with a wrong authorization code first", []inputStep{
			{"Your e-mail address", "me@qq.com"}, {"Your name", "Wild Goose"}, {"? shows the page", wrongCode}, {"Press Enter to change", rightCode}},
			`yan send -t me@qq.com -s "Hello" -b "It works"`, "accepted"},
		{"login.zh-CN", "zh_CN.UTF-8", "yan login：一分钟设好账号，先输错一次授权码", []inputStep{
			{"您的邮箱地址", "me@qq.com"}, {"您的名字", "小雁"}, {"二维码打开上面的页面", wrongCode}, {"直接按回车", rightCode}},
			`yan send -t me@qq.com -s "你好" -b "发送成功"`, "已接收"},
	}
}

// tape holds the events recorded so far.
type tape struct {
	screen *screen
	clock  float64 // seconds
	events []event
	frames []frame
}

// event is output with its time.
type event struct {
	at   float64
	text string
}

// recordOutput records output at the current time.
func (t *tape) recordOutput(p []byte) {
	if len(p) == 0 {
		return
	}
	p = took.ReplaceAll(p, []byte("${1}6.1 ms${2}"))
	p = messageID.ReplaceAll(p, []byte("<r5mzkq3cduxw7nthg2vyoa6bei@"))
	for _, v := range varying() {
		p = v.value.ReplaceAll(p, []byte(v.recorded))
	}
	t.screen.write(p)
	if n := len(t.events); n > 0 && t.events[n-1].at == t.round() { // however many writes it took
		t.events[n-1].text += string(p)
	} else {
		t.events = append(t.events, event{t.round(), string(p)})
	}
	f := frame{t.round(), t.screen.render()}
	if n := len(t.frames); n > 0 && t.frames[n-1].at == f.at {
		t.frames[n-1] = f
		return
	}
	t.frames = append(t.frames, f)
}

// took matches the duration of the login.
var took = regexp.MustCompile(`([（(])[0-9.]+ (?:µs|ms|s)([)）])`)

// messageID matches the Message-ID, which differs each time.
var messageID = regexp.MustCompile(`<[a-z2-7]{26}@`)

// varyingValue is a value that differs from run to run, and the recorded one.
type varyingValue struct {
	value    *regexp.Regexp
	recorded string
}

func varying() []varyingValue {
	return []varyingValue{
		{regexp.MustCompile(`(127\.0\.0\.1:)\d{5}\b`), "${1}45005"},
		{regexp.MustCompile(`(port |端口 )\d{5}\b`), "${1}42525"},
		{regexp.MustCompile(`yan_[a-z2-7]{4}…`), "yan_k7qh…"},
		{regexp.MustCompile(`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [0-9:]{8} [+-]\d{4}`), "Mon, 04 Jan 2027 08:00:00 +0000"},
		{regexp.MustCompile(`<[0-9A-F]{12}@`), "<6B77B8D00002@"},
	}
}

func (t *tape) round() float64 { return float64(int(t.clock*1000+0.5)) / 1000 }

func recordDialogue(program, out string, still int, d dialogue) error {
	home, err := os.MkdirTemp("", "yan-recording-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	ca := filepath.Join(home, "ca.pem")
	env := []string{"HOME=" + home, "LANG=" + d.lang, "TERM=xterm-256color",
		"YAN_PASSPHRASE_FILE=" + filepath.Join(home, "passphrase"), "PATH=" + os.Getenv("PATH")}
	if err := os.WriteFile(filepath.Join(home, "passphrase"), []byte("correct horse\n"), 0o600); err != nil {
		return err
	}
	stop, err := startSandbox(program, ca)
	if err != nil {
		return err
	}
	defer stop()
	t := &tape{screen: newScreen(cols, rows)}
	// The address belongs to QQ Mail, which the sandbox imitates.
	atSandbox := []string{"login", "--server", "smtps://127.0.0.1:" + port, "--tls-ca", ca}
	if err := t.runCommand(program, env, "yan login", atSandbox, d.steps); err != nil {
		return err
	}
	words := append([]string{"send"}, strings.Fields(d.send)[2:]...)
	for i, w := range words {
		words[i] = strings.Trim(w, `"`)
	}
	if strings.HasPrefix(d.lang, "en") { // "It works" is one word
		words = []string{"send", "-t", "me@qq.com", "-s", "Hello", "-b", "It works"}
	}
	t.clock += 1.5
	if err := t.runCommand(program, env, d.send, words, []inputStep{{d.sent, ""}}); err != nil {
		return err
	}
	t.clock += 6
	t.recordOutput([]byte("\x1b[1;32m$\x1b[0m "))
	if still >= 0 {
		t.frames = t.frames[:min(still+1, len(t.frames))]
	}
	return t.save(out, d.file, d.title, rows)
}

// save writes the picture and the cast.
func (t *tape) save(out, file, title string, height int) error {
	picture := renderPicture(t.frames, cols, height, t.clock+4, title)
	if err := os.WriteFile(filepath.Join(out, file+".svg"), []byte(picture), 0o644); err != nil {
		return err
	}
	return writeCast(filepath.Join(out, file+".cast"), title, height, t.events)
}

// recordDemo runs yan demo --relay and records its output in sections, with a pause
// before each.
func recordDemo(program, out string, still int, d demo) error {
	home, err := os.MkdirTemp("", "yan-recording-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	env := []string{"HOME=" + home, "LANG=" + d.lang, "TERM=xterm-256color", "PATH=" + os.Getenv("PATH")}
	whole := &tape{screen: newScreen(cols, demoRows)}
	if err := whole.runCommand(program, env, "", []string{"demo", "--relay"}, nil); err != nil {
		return err
	}
	var output strings.Builder
	for _, e := range whole.events[1:] { // the first is the prompt
		output.WriteString(e.text)
	}
	t := &tape{screen: newScreen(cols, demoRows)}
	t.typeLine("yan demo --relay")
	for i, section := range strings.Split(strings.TrimPrefix(output.String(), "\r\n"), "\r\n\r\n") {
		if i > 0 {
			t.clock += 0.7
			section = "\r\n\r\n" + section
		}
		t.recordOutput([]byte(section))
	}
	t.clock += 6
	t.recordOutput([]byte("\x1b[1;32m$\x1b[0m "))
	if still >= 0 {
		t.frames = t.frames[:min(still+1, len(t.frames))]
	}
	return t.save(out, d.file, d.title, demoRows)
}

// startSandbox starts a sandbox and waits until it listens.
func startSandbox(program, ca string) (stop func(), err error) {
	cmd := exec.Command(program, "sandbox", "--profile", "qq", "--tls-port", port, "--ca", ca, "--quiet", "--json")
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		return nil, fmt.Errorf("the sandbox does not start: %w", err)
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}, nil
}

// typeLine types a command line after the prompt.
func (t *tape) typeLine(shown string) {
	t.recordOutput([]byte("\x1b[1;32m$\x1b[0m "))
	t.clock += 0.8
	for _, r := range shown {
		t.recordOutput([]byte(string(r)))
		t.clock += 0.05
	}
	t.clock += 0.4
	t.recordOutput([]byte("\r\n"))
}

// runCommand types a command line and runs it.
func (t *tape) runCommand(program string, env []string, shown string, args []string, steps []inputStep) error {
	t.typeLine(shown)
	terminal, side, err := pty.Open()
	if err != nil {
		return err
	}
	defer terminal.Close()
	if err := pty.Setsize(side, &pty.Winsize{Cols: cols, Rows: uint16(t.screen.rows)}); err != nil {
		return err
	}
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, side, side, side
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = side.Close() // the program has its own copy
	defer func() { _ = cmd.Process.Kill() }()
	output := make(chan []byte)
	go func() {
		defer close(output)
		for {
			buf := make([]byte, 8192)
			n, err := terminal.Read(buf)
			if n > 0 {
				output <- buf[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	seen := newScreen(cols, 500)
	for _, s := range steps {
		if err := t.recordUntil(output, seen, s.wait); err != nil {
			return err
		}
		t.clock += 1.2
		for _, r := range s.types {
			if _, err := terminal.WriteString(string(r)); err != nil {
				return err
			}
			t.clock += 0.07
			t.recordSettled(output, seen)
		}
		if s.types != "" {
			t.clock += 0.5
			if _, err := terminal.WriteString("\r"); err != nil {
				return err
			}
		}
	}
	for p := range output {
		t.recordOutput(p)
	}
	return cmd.Wait()
}

// recordUntil records output until a text appears.
func (t *tape) recordUntil(output <-chan []byte, seen *screen, text string) error {
	timeout := time.After(30 * time.Second)
	for {
		select {
		case p, ok := <-output:
			if !ok {
				return fmt.Errorf("the program ended before it showed %q:\n%s", text, seen.text())
			}
			seen.write(p)
			t.recordOutput(p)
			if strings.Contains(seen.text(), text) {
				t.recordSettled(output, seen)
				return nil
			}
		case <-timeout:
			return fmt.Errorf("%q is not shown:\n%s", text, seen.text())
		}
	}
}

// recordSettled records the output of the next moment: one key may cause several writes, and
// the first may be slow.
func (t *tape) recordSettled(output <-chan []byte, seen *screen) {
	var all bytes.Buffer
	moment := 400 * time.Millisecond
	for {
		select {
		case p, ok := <-output:
			if !ok {
				t.recordOutput(all.Bytes())
				return
			}
			seen.write(p)
			all.Write(p)
			moment = 40 * time.Millisecond
		case <-time.After(moment):
			t.recordOutput(all.Bytes())
			return
		}
	}
}

// writeCast writes the asciinema format, version 2: a header, then one event per line.
func writeCast(path, title string, height int, events []event) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	header := map[string]any{"version": 2, "width": cols, "height": height, "title": title, "env": map[string]string{"TERM": "xterm-256color"}}
	if err := e.Encode(header); err != nil {
		return err
	}
	for _, o := range events {
		if err := e.Encode([]any{o.at, "o", o.text}); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
