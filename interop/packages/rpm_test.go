//go:build interop && linux

package packages

import (
	"slices"
	"strings"
	"testing"
)

// The alternatives of Fedora and RHEL and those of Debian have the same options and
// links; the program has another name.
const alternatives = `dpkg --purge --force-depends nullmailer 2>/dev/null
ln -s update-alternatives /usr/bin/alternatives
mkdir -p /usr/lib/sysimage/rpm
for name in sendmail mailq newaliases; do printf '#!/bin/sh\necho another $0\n' >/usr/sbin/$name.another && chmod 755 /usr/sbin/$name.another; done
alternatives --install /usr/sbin/sendmail mta /usr/sbin/sendmail.another 60 --slave /usr/bin/mailq mta-mailq /usr/sbin/mailq.another \
	--slave /usr/bin/newaliases mta-newaliases /usr/sbin/newaliases.another --slave /usr/lib/sendmail mta-sendmail /usr/sbin/sendmail.another`

// With RPM, yan-mta becomes the machine's sendmail beside another one, which takes
// over again if it is removed.
func TestRPMMachineChangesItsSendmailAndBack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.do(alternatives)
	m.do("rpm --initdb")
	before := m.files()

	// rpm knows nothing of what dpkg has installed.
	m.do("rpm -i --nodeps /mnt/old/yan-0*.x86_64.rpm && rpm -i /mnt/old/yan-mta-0*.rpm")
	for path, want := range map[string]string{
		"/etc/alternatives/mta": "lrwxrwxrwx root:root /usr/bin/yan",
		"/usr/bin/mailq":        "lrwxrwxrwx root:root /etc/alternatives/mta-mailq",
		"/usr/bin/newaliases":   "lrwxrwxrwx root:root /etc/alternatives/mta-newaliases",
		"/etc/yan":              "drwxr-x--- yan:yan",
		"/var/lib/yan":          "drwx------ yan:yan",
		"/var/spool/yan/drop":   "drwx-ws-wt yan:yan",
	} {
		m.checkFile(path, want)
	}
	for _, name := range []string{"/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/mailq", "/usr/bin/newaliases"} {
		m.do(`test "$(readlink -f ` + name + `)" = /usr/bin/yan`)
	}
	if out, err := m.try("rpm -V yan yan-mta --nodeps"); err != nil {
		t.Errorf("rpm -V: %s", out)
	}

	m.do("runuser -u yan -- sh -c 'echo mail >/var/lib/yan/outbox.db'; rpm -U --nodeps /mnt/new/yan-0*.x86_64.rpm /mnt/new/yan-mta-0*.rpm")
	checkOutput(t, "the upgrade", m.do(`rpm -q --qf '%{name} %{version}\n' yan yan-mta; yan version`), "yan "+m.built.new, "yan-mta "+m.built.new)
	checkOutput(t, "the outbox", m.do("cat /var/lib/yan/outbox.db"), "mail")
	m.do(`test "$(readlink -f /usr/sbin/sendmail)" = /usr/bin/yan`)

	checkOutput(t, "the other sendmail", m.do("rpm -e yan-mta && sendmail"), "another /usr/sbin/sendmail")
	out := m.do("rpm -e --nodeps yan 2>&1")
	checkOutput(t, "rpm -e", out, "yan: kept, because mail or accounts are there: /var/lib/yan\n", "rm -r /var/lib/yan; userdel yan")
	m.do("rm -r /var/lib/yan; userdel yan")
	left := slices.DeleteFunc(compareFiles(before, m.files()), func(line string) bool {
		// The package filesystem of Fedora and RHEL has this folder.
		return strings.HasPrefix(line, "+/usr/share/licenses ") || strings.Contains(line, "/usr/lib/sysimage/rpm") || strings.Contains(line, "/var/lib/rpm")
	})
	if len(left) > 0 {
		t.Errorf("left:\n%s", strings.Join(left, "\n"))
	}
}

// The packages of RPM need, provide and contain what is written here; those for two
// machines differ in the machine alone.
func TestRPMFacts(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	query := func(options, file string) []string {
		return strings.Fields(m.do("rpm -qp " + options + " /mnt/old/" + file))
	}
	for _, test := range []struct{ options, file, want string }{
		{"--requires", "yan-0*.x86_64.rpm", "/usr/sbin/useradd"},
		{"--requires", "yan-mta-0*.noarch.rpm", "yan = 0.1.0-1"},
		{"--provides", "yan-mta-0*.noarch.rpm", "MTA /usr/bin/mailq /usr/bin/newaliases /usr/lib/sendmail /usr/sbin/sendmail yan-mta = 0.1.0-1"},
		{"--qf '%{arch} %{os} %{buildhost}'", "yan-0*.aarch64.rpm", "aarch64 linux localhost"},
	} {
		got, want := query(test.options, test.file), strings.Fields(test.want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s of %s are %q, want %q", test.options, test.file, got, want)
		}
	}
	amd64, arm64 := query("-l", "yan-0*.x86_64.rpm"), query("-l", "yan-0*.aarch64.rpm")
	if !slices.Equal(amd64, arm64) || len(amd64) < 100 {
		t.Errorf("%d files for amd64, %d for arm64", len(amd64), len(arm64))
	}
	checkOutput(t, "the program for arm64", m.do("cd /tmp && cp /mnt/old/yan-0*.aarch64.rpm a.rpm && rpm2archive a.rpm && tar -xzf a.rpm.tgz ./usr/bin/yan && od -An -tx1 -j18 -N2 usr/bin/yan"), " b7 00")
}
