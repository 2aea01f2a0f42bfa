//go:build interop && linux

package packages

import (
	"slices"
	"strings"
	"testing"
)

const (
	installOld = "apt-get install -y -q /mnt/old/yan_*_amd64.deb /mnt/old/yan-mta_*.deb"
	installNew = "apt-get install -y -q /mnt/new/yan_*_amd64.deb /mnt/new/yan-mta_*.deb"
	// yand runs yan as the service does.
	yand = `yand="setpriv --reuid yan --regid yan --init-groups env HOME=/var/lib/yan YAN_CONFIG=/etc/yan/config.toml YAN_OUTBOX=/var/lib/yan/outbox.db YAN_PASSPHRASE_FILE=/etc/yan/passphrase yan"
`
	back = "apt-get install -y -q /debs/nullmailer_*.deb"
)

// yan-mta takes the place of another mail-transport-agent, and of it alone: its
// callers stay. The way back leaves the machine as it was, but for the outbox.
func TestDebianMachineChangesItsSendmailAndBack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	before := m.files()

	out := m.do(installOld)
	_, removed, _ := strings.Cut(out, "will be REMOVED:\n")
	removed, _, _ = strings.Cut(removed, "\nThe following NEW")
	if strings.TrimSpace(removed) != "nullmailer" {
		t.Errorf("apt removed %q, want nullmailer alone", removed)
	}
	m.do("dpkg -s cron bsd-mailx logwatch yan yan-mta | grep -c '^Status: install ok installed' | grep -x 5")
	for path, want := range map[string]string{
		"/usr/sbin/sendmail":                      "lrwxrwxrwx root:root ../bin/yan",
		"/usr/lib/sendmail":                       "lrwxrwxrwx root:root ../sbin/sendmail",
		"/usr/bin/mailq":                          "lrwxrwxrwx root:root yan",
		"/usr/bin/newaliases":                     "lrwxrwxrwx root:root yan",
		"/etc/yan":                                "drwxr-x--- yan:yan",
		"/var/lib/yan":                            "drwx------ yan:yan",
		"/var/spool/yan/drop":                     "drwx-ws-wt yan:yan",
		"/usr/bin/yan":                            "-rwxr-xr-x root:root",
		"/usr/lib/systemd/system/yan.service":     "-rw-r--r-- root:root",
		"/usr/share/man/man1/yan-send.1.gz":       "-rw-r--r-- root:root",
		"/usr/share/man/zh_CN/man1/yan-send.1.gz": "-rw-r--r-- root:root",
	} {
		m.checkFile(path, want)
	}
	m.do("for name in sendmail.8 mailq.1 newaliases.1; do test -e /usr/share/man/man${name##*.}/$name.gz || exit 1; done")
	// The account as docs/install.md sets it up.
	m.do(`runuser -u yan -- sh -c 'umask 077; head -c 24 /dev/urandom | base64 >/etc/yan/passphrase'
		echo YAN_PASSPHRASE_FILE=/etc/yan/passphrase >/etc/default/yan
		` + yand + `echo secret | $yand login me@example.com --server smtps://127.0.0.1:1 --no-check --secret-stdin && $yand config check`)
	m.checkFile("/etc/yan/config.toml", "-rw------- yan:yan")
	m.checkFile("/etc/yan/secrets.age", "-rw------- yan:yan")
	m.do("systemctl is-enabled yan.service")
	if out := m.do("systemd-analyze verify yan.service 2>&1"); strings.Contains(out, "yan.service") {
		t.Error(out)
	}
	checkOutput(t, "yan version", m.do("yan version"), "v0.1.0")

	// The first message finds no service and waits as a file; the service takes both.
	m.do("echo hello | mail -s first ops@example.com && test -n \"$(find /var/spool/yan/drop -type f -user root)\"")
	checkOutput(t, "the queue", m.do(yand+`install -d -o yan -g yan /run/yan
		RUNTIME_DIRECTORY=/run/yan $yand serve 2>/tmp/log & serve=$!
		timeout 60 sh -c 'until test -S /run/yan/submit.sock && test -z "$(ls /var/spool/yan/drop)"; do sleep 0.1; done' || { cat /tmp/log; exit 1; }
		echo hello | mail -s second ops@example.com && mailq
		kill $serve && wait $serve`), "ops@example.com", "ops@example.com")

	// The outbox, a mode that the administrator has chosen, and that the service is
	// disabled survive the upgrade.
	m.do("dpkg-statoverride --update --add yan yan 1733 /var/spool/yan/drop && systemctl disable yan.service")
	m.do(installNew)
	checkOutput(t, "the upgrade", m.do("dpkg-query -W yan yan-mta"), "yan\t"+m.built.new, "yan-mta\t"+m.built.new)
	m.checkFile("/var/spool/yan/drop", "drwx-wx-wt yan:yan")
	checkOutput(t, "the outbox", m.do(yand+"$yand queue"), "first", "second")
	if out, _ := m.try("systemctl is-enabled yan.service"); strings.TrimSpace(out) != "disabled" {
		t.Errorf("the disabled service is %s after the upgrade", out)
	}
	m.do("dpkg-statoverride --remove /var/spool/yan/drop")

	if out := m.do("apt-get purge -y -q nullmailer"); strings.Contains(out, "Removing") {
		t.Errorf("purging the previous sendmail removed more:\n%s", out)
	}
	m.do(back)
	m.do("dpkg -s cron bsd-mailx logwatch nullmailer yan | grep -c '^Status: install ok installed' | grep -x 5")
	out = m.do("apt-get purge -y -q yan 2>&1")
	checkOutput(t, "purge", out, "yan: kept, because mail may wait there: /var/lib/yan\n", "rm -r /var/lib/yan; userdel yan")
	kept := compareFiles(before, m.files())
	kept = slices.DeleteFunc(kept, func(line string) bool {
		return strings.HasPrefix(line, "+/var/lib/yan ") || strings.HasPrefix(line, "+/var/lib/yan/outbox.db") || strings.Contains(line, " yan:")
	})
	if len(kept) > 0 {
		t.Errorf("purge kept more than the outbox and its user:\n%s", strings.Join(kept, "\n"))
	}
	m.do("rm -r /var/lib/yan; userdel yan")
	if left := compareFiles(before, m.files()); len(left) > 0 {
		t.Errorf("the machine is not as it was:\n%s", strings.Join(left, "\n"))
	}
}

// Without mail nothing is left.
func TestDebianPurgeWithoutMail(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	before := m.files()
	m.do("apt-get install -y -q /mnt/new/yan_*_amd64.deb && echo >/etc/yan/config.toml")
	m.do("apt-get remove -y -q yan && test -e /etc/yan/config.toml")
	m.do("apt-get purge -y -q yan")
	if left := compareFiles(before, m.files()); len(left) > 0 {
		t.Errorf("left:\n%s", strings.Join(left, "\n"))
	}
}

// A person called yan does not become the owner of the machine's mail.
func TestPersonCalledYan(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.do("useradd --create-home yan")
	before := m.files()
	out, err := m.try(installOld)
	if err == nil {
		t.Fatal("it was installed")
	}
	checkOutput(t, "dpkg", out, "yan: the user yan (user ID 1000) is not a system user; rename it before you install this package")
	m.do("apt-get check && dpkg -s nullmailer bsd-mailx")
	if left := compareFiles(before, m.files()); len(left) > 0 {
		t.Errorf("left:\n%s", strings.Join(left, "\n"))
	}
	out, err = m.try("rpm -i --nodeps /mnt/new/yan-0*.x86_64.rpm")
	if err == nil {
		t.Fatal("rpm installed it")
	}
	checkOutput(t, "rpm", out, "is not a system user")
}

// Debian's own checks find nothing that packaging/deb/*.lintian-overrides does not
// explain.
func TestLintian(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	out, err := m.try("cd /mnt/old && lintian --allow-root --pedantic --fail-on error,warning,info,pedantic yan_*.deb yan-mta_*.deb")
	if err != nil || strings.TrimSpace(out) != "" {
		t.Errorf("%v\n%s", err, out)
	}
}
