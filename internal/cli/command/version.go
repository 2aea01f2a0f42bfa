package command

import (
	"runtime"
	"runtime/debug"

	"github.com/yanmail/yan/internal/cli/jsonout"
)

// Version returns the version that the Go toolchain wrote into the program: the module's
// version if it was installed by one, the commit if it was built from one.
func Version() jsonout.Version {
	v := jsonout.Version{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}
