package sqlite

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// remote are file systems of several machines, by their magic numbers (statfs(2), and
// linux/magic.h). Locks and shared memory, which a write-ahead log needs, do not work across
// machines.
var remote = map[uint32]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x01021997: "9P",
	0x5346414f: "AFS",
	0x6b414653: "AFS",
	0x73757245: "Coda",
	0x564c:     "NCP",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
	0x19830326: "BeeGFS",
	0x7461636f: "OCFS2",
	0x01161970: "GFS2",
	0xbacbacbc: "VMware shared folders",
	0x786f4256: "VirtualBox shared folders",
	0xaad7aaea: "PanFS",
}

const fuse = 0x65735546

// remoteFUSE are remote file systems that run as programs, by their names in
// /proc/self/mountinfo.
var remoteFUSE = []string{"sshfs", "s3fs", "rclone", "glusterfs", "davfs", "gcsfuse", "ceph-fuse", "curlftpfs", "smbnetfs", "goofys",
	"juicefs", "moosefs", "mfs", "lizardfs", "blobfuse", "mount-s3"}

// network returns the kind of a folder's file system if it is one of several machines,
// otherwise "".
func network(folder string) string {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil {
		return ""
	}
	magic := uint32(s.Type) //nolint:unconvert // its type is another on each machine
	if magic == fuse {
		return remoteKind(mountType(folder))
	}
	return remote[magic]
}

func remoteKind(kind string) string {
	for _, name := range remoteFUSE {
		if strings.Contains(kind, name) {
			return kind
		}
	}
	return ""
}

// mountType returns the type of a folder's file system, as mount shows it.
func mountType(folder string) (kind string) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	longest := -1
	for lines := bufio.NewScanner(f); lines.Scan(); {
		before, after, found := strings.Cut(lines.Text(), " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if !found || len(fields) < 5 || len(rest) < 1 {
			continue
		}
		point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		inside, err := filepath.Rel(point, folder)
		if err == nil && inside != ".." && !strings.HasPrefix(inside, "../") && len(point) >= longest {
			longest, kind = len(point), rest[0]
		}
	}
	return kind
}
