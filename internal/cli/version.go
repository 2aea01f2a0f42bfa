package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/notices"
)

func (a *app) versionCommand() *cobra.Command {
	var asJSON, licences bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: a.T("Print the version"),
		Args:  a.atMost(0),
		RunE: func(*cobra.Command, []string) error {
			if licences {
				a.outf("%s", notices.Text())
				return nil
			}
			return a.printVersion(asJSON)
		},
	}
	add(cmd, a.T("Flags:"), newOption("json", "", &asJSON, "", a.T("print JSON")),
		newOption("licenses", "", &licences, "", a.T("print the licenses of everything that the program is made of")))
	return cmd
}

func (a *app) printVersion(asJSON bool) error {
	v := version()
	if asJSON {
		a.printJSON(v)
		return nil
	}
	a.outf("yan %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	return nil
}

type versionJSON struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// version is what the Go toolchain wrote into the program: the module's
// version when it was installed by one, the commit when it was built from one.
func version() versionJSON {
	v := versionJSON{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
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
