package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// relay is Postfix as a mail relay: it queues messages on the same disk as our
// outbox, and delivers them to a sink.
type relay struct {
	command *exec.Cmd
	where   string
}

const postfixMaster = "/usr/lib/postfix/sbin/master"

// startRelay runs Postfix's own processes with their own configuration; more is added to it.
func startRelay(ctx context.Context, folder, sink, more string) (*relay, error) {
	if _, err := os.Stat(postfixMaster); err != nil {
		return nil, fmt.Errorf("no Postfix is installed (Debian's postfix)")
	}
	if os.Getuid() != 0 {
		return nil, fmt.Errorf("only root can start Postfix")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{where: listener.Addr().String()}
	listener.Close()
	dir := filepath.Join(folder, "relay")
	if err := makeRelayFolders(folder, dir); err != nil {
		return nil, err
	}
	main := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_peername_lookup = no
myhostname = relay.example.test
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
local_recipient_maps =
relayhost = [127.0.0.1]:%[2]s
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
default_process_limit = 100
smtp_tls_security_level = none
default_destination_concurrency_limit = 20
%[3]s`, dir, portOf(sink), more)
	services := fmt.Sprintf(`127.0.0.1:%s inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`, portOf(r.where))
	for name, text := range map[string]string{"main.cf": main, "master.cf": services} {
		if err := os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	r.command = exec.Command(postfixMaster, "-c", filepath.Join(dir, "etc"))
	r.command.Stderr = os.Stderr
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		if connection, err := net.Dial("tcp", r.where); err == nil {
			return r, connection.Close()
		}
		if ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.close()
	log, _ := os.ReadFile(filepath.Join(dir, "log")) // only for the failure message
	return nil, fmt.Errorf("it does not listen: %s", log)
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return port
}

// makeRelayFolders creates the directories that "postfix check" would, with the
// owners that its parts expect.
func makeRelayFolders(parent, dir string) error {
	owner, err := user.Lookup("postfix")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return err
	}
	for _, name := range []string{"", "etc", "spool", "spool/pid"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"data", "spool/active", "spool/bounce", "spool/corrupt", "spool/defer", "spool/deferred", "spool/flush",
		"spool/hold", "spool/incoming", "spool/maildrop", "spool/private", "spool/public", "spool/saved", "spool/trace"} {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		if err := os.Chown(path, uid, -1); err != nil {
			return err
		}
	}
	return os.Chmod(parent, 0o711)
}

func (r *relay) close() {
	_ = r.command.Process.Signal(syscall.SIGTERM)
	_ = r.command.Wait() // it was told to end
}
