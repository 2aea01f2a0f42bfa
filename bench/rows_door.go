package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// syncedGoSMTP is go-smtp's server, which syncs a file for each message.
const syncedGoSMTP = "go-smtp's server + fsync"

// doorConnections are those of smtp-source; idleConnections those whose memory is measured.
const (
	doorConnections = 32
	idleConnections = 1000
)

// doorRows returns the rows about the SMTP listener.
func (c *course) doorRows() []experiment {
	others := absentFor("it is no server", gomailName, netsmtp, gosmtpName, nodemailer, smtpsource)
	return []experiment{
		{rows: []reportRow{{ID: "door/smtp", Name: fmt.Sprintf("durable messages of 5 kB taken from smtp-source, %d connections", doorConnections), Unit: "messages/s", Higher: true}},
			guests: []string{postfixMTA, syncedGoSMTP, mailpitRelay}, absent: others, measure: c.doorRate},
		{rows: []reportRow{{ID: "door/idle", Name: fmt.Sprintf("%d idle SMTP connections to the server", idleConnections), Unit: "MB of memory"}},
			guests: []string{syncedGoSMTP}, absent: others, measure: c.doorMemory},
	}
}

// doorRate lets smtp-source send to a server until all messages are on the disk.
func (c *course) doorRate(ctx context.Context, who string) ([]float64, error) {
	source := c.tools[smtpsource]
	if source.Path == "" {
		return nil, errors.New(source.Missing)
	}
	n := c.sizes.through
	if who == postfixMTA {
		if c.holder == nil {
			return nil, c.noHolder
		}
		n = max(n/8, 200)
		took, err := timeSource(ctx, source, c.holder.where, n)
		return []float64{float64(n) / took}, err
	}
	if who == mailpitRelay {
		return c.mailpitRate(ctx, source, max(n/40, 100))
	}
	d, err := c.startDoor(ctx, who)
	if err != nil {
		return nil, err
	}
	took, err := timeSource(ctx, source, d.address, n)
	kept, closeErr := d.close()
	if err = errors.Join(err, closeErr); err != nil {
		return nil, err
	}
	if kept != n {
		return nil, fmt.Errorf("%w: %d of %d messages are on the disk", errArrival, kept, n)
	}
	return []float64{float64(n) / took}, nil
}

// timeSource returns the seconds that smtp-source takes.
func timeSource(ctx context.Context, source tool, address string, n int) (float64, error) {
	command := source.command(ctx, "-d", "-M", "localhost", "-f", userName, "-t", "recipient@example.test",
		"-s", strconv.Itoa(doorConnections), "-m", strconv.Itoa(n), "-l", "5000", "-S", "a message", "inet:"+address)
	var said bytes.Buffer
	command.Stderr = &said
	begun := time.Now()
	if err := command.Run(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, said.Bytes())
	}
	return time.Since(begun).Seconds(), nil
}

// doorMemory opens connections that say EHLO and then nothing.
func (c *course) doorMemory(ctx context.Context, who string) ([]float64, error) {
	d, err := c.startDoor(ctx, who)
	if err != nil {
		return nil, err
	}
	used, err := d.idleMemory()
	_, closeErr := d.close()
	return []float64{float64(used) / 1e6}, errors.Join(err, closeErr)
}

func (d *doorProcess) idleMemory() (int64, error) {
	before, err := d.resident()
	if err != nil {
		return 0, err
	}
	for range idleConnections {
		conn, err := net.Dial("tcp", d.address)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		if err := introduce(conn); err != nil {
			return 0, err
		}
	}
	after, err := d.resident()
	return after - before, err
}

// introduce reads the greeting and the reply to EHLO.
func introduce(conn net.Conn) error {
	r := bufio.NewReaderSize(conn, 512)
	for _, send := range []string{"", "EHLO localhost\r\n"} {
		if _, err := io.WriteString(conn, send); err != nil {
			return err
		}
		for more := true; more; {
			line, err := r.ReadString('\n')
			if err != nil {
				return err
			}
			more = len(line) > 3 && line[3] == '-'
		}
	}
	return nil
}

// doorProcess is the process of a server.
type doorProcess struct {
	command *exec.Cmd
	in      io.WriteCloser
	notes   *json.Decoder
	address string
	folder  string
}

func (c *course) startDoor(ctx context.Context, who string) (*doorProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	d := &doorProcess{}
	if d.folder, err = os.MkdirTemp(c.folder, "door-"); err != nil {
		return nil, err
	}
	do := "door/yan"
	if who == syncedGoSMTP {
		do = "door/go-smtp"
	}
	text, err := json.Marshal(outboxOrder{Do: do, Where: d.folder})
	if err != nil {
		return nil, err
	}
	d.command = exec.CommandContext(ctx, self, asDoor, string(text))
	d.command.Stderr = os.Stderr
	if d.in, err = d.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := d.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.command.Start(); err != nil {
		return nil, err
	}
	d.notes = json.NewDecoder(out)
	var note doorNote
	if err := d.notes.Decode(&note); err != nil {
		_, closeErr := d.close()
		return nil, errors.Join(err, closeErr)
	}
	d.address = note.Address
	return d, nil
}

func (d *doorProcess) resident() (int64, error) {
	if _, err := io.WriteString(d.in, "\n"); err != nil {
		return 0, err
	}
	var note doorNote
	err := d.notes.Decode(&note)
	return note.Resident, err
}

// close ends the process and returns how many messages it has on the disk.
func (d *doorProcess) close() (kept int, err error) {
	var note doorNote
	err = errors.Join(d.in.Close(), d.notes.Decode(&note), d.command.Wait(), os.RemoveAll(d.folder))
	return note.Kept, err
}

// startHolder runs a Postfix that keeps every message in its queue and delivers none.
func startHolder(ctx context.Context, folder string) (*relay, error) {
	folder = filepath.Join(folder, "holder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return nil, err
	}
	return startRelay(ctx, folder, "127.0.0.1:9", "smtpd_client_restrictions = check_client_access static:HOLD\n")
}
