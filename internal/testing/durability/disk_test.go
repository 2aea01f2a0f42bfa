package durability

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hexEncode encodes the text in «» as strace does.
func hexEncode(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "«")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		inner, after, _ := strings.Cut(rest, "»")
		for _, octet := range []byte(inner) {
			fmt.Fprintf(&b, `\x%02x`, octet)
		}
		text = after
	}
}

// A process writes a, syncs it, overwrites a part of it with b while another thread syncs, renames
// it, and syncs the directory.
const aTrace = `7 openat(AT_FDCWD<«/d»>, "«half»", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 4<«/d/half»>
7 write(4<«/d/half»>, "«aaaa»", 4)     = 4
7 fsync(4<«/d/half»>)                     = 0
7 pwrite64(4<«/d/half»>, "«bb»", 2, 1 <unfinished ...>
8 fsync(4<«/d/half»> <unfinished ...>
7 <... pwrite64 resumed>)                 = 2
8 <... fsync resumed>)                    = 0
7 openat(AT_FDCWD<«/d»>, "«gone»", O_RDWR) = -1 ENOENT (No such file or directory)
7 rename("«/d/half»", "«/d/whole»")   = 0
7 openat(AT_FDCWD<«/d»>, "«/d»", O_RDONLY|O_CLOEXEC) = 5<«/d»>
7 fsync(5<«/d»>)                          = 0
7 fdatasync(4<«/d/whole»>)                = 0
7 writev(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{iov_base="«he»", iov_len=2}, {iov_base="«llo»", iov_len=3}], 2) = 4
7 +++ exited with 0 +++
`

func TestDiskHasWhatWasSynced(t *testing.T) {
	t.Parallel()
	calls, err := ParseTrace(strings.NewReader(hexEncode(aTrace)), "/d")
	if err != nil {
		t.Fatal(err)
	}
	if last := calls[len(calls)-1]; string(last.Data) != "hell" || last.FD != 9 {
		t.Errorf("the last call is read as %+v", last)
	}
	disk := NewDisk("/d", calls)
	for _, test := range []struct {
		line int
		way  Way
		want string
	}{
		{2, Nothing, ""},
		{2, All, "half=aaaa"},
		{3, Nothing, ""}, // the directory was not synced
		{3, All, "half=aaaa"},
		{7, All, "half=abba"},
		{9, All, "whole=abba"},
		{9, Nothing, ""},
		{11, Nothing, "whole=aaaa"}, // the second sync began before the write had ended
		{12, Nothing, "whole=abba"},
	} {
		got := filesLeft(t, disk, Cut{Line: test.line, Way: test.way, Sector: 512, Random: rand.New(rand.NewPCG(1, 1))})
		if got != test.want {
			t.Errorf("cut at line %d, %s: the disk has %q, want %q", test.line, test.way, got, test.want)
		}
	}
}

// Any part of the unsynced data may be there, in any combination of sectors.
func TestDiskMayHaveAnything(t *testing.T) {
	t.Parallel()
	calls, err := ParseTrace(strings.NewReader(hexEncode(aTrace)), "/d")
	if err != nil {
		t.Fatal(err)
	}
	disk := NewDisk("/d", calls)
	random := rand.New(rand.NewPCG(2, 2))
	for _, test := range []struct {
		line   int
		way    Way
		sector int
		want   []string
	}{
		{4, Any, 512, []string{"", "half=aaaa", "half=abba"}},
		{9, First, 512, []string{"", "half=aaaa", "half=abba", "half=aaaa whole=aaaa", "half=abba whole=abba", "whole=aaaa", "whole=abba"}},
		{11, Torn, 2, []string{"whole=aaaa", "whole=aaba", "whole=abaa", "whole=abba"}},
	} {
		var seen []string
		for range 400 {
			got := filesLeft(t, disk, Cut{Line: test.line, Way: test.way, Sector: test.sector, Random: random})
			if !slices.Contains(seen, got) {
				seen = append(seen, got)
			}
		}
		slices.Sort(seen)
		slices.Sort(test.want)
		// Two names of one file each have a random part of it.
		seen = slices.DeleteFunc(seen, func(s string) bool { return s == "half=aaaa whole=abba" || s == "half=abba whole=aaaa" })
		if !slices.Equal(seen, test.want) {
			t.Errorf("cut at line %d, %s: the disk had %q, want %q", test.line, test.way, seen, test.want)
		}
	}
}

// filesLeft lists all files on a disk after a cut.
func filesLeft(t *testing.T, d *Disk, cut Cut) string {
	t.Helper()
	folder := t.TempDir()
	if err := d.Leave(folder, cut); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, filepath.Base(name)+"="+string(data))
	}
	return strings.Join(all, " ")
}
