package accountcmd

import (
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"
)

func TestTakesLine(t *testing.T) {
	t.Parallel()
	for editor, want := range map[string]bool{"vi": true, "/usr/bin/vim -u NONE": true, "nano": true, `C:\bin\nvim.exe`: true, "code --wait": false, "notepad": false, "": false} {
		if got := takesLine(editor); got != want {
			t.Errorf("takesLine(%q) = %v", editor, got)
		}
	}
}

func TestShownCommand(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{"pass show mail": "pass show mail", "echo " + clitest.Marker: "echo …", "/bin/echo " + clitest.Marker: "/bin/echo …",
		" printf '%s' " + clitest.Marker: "printf …", "echo": "echo", "echo\t" + clitest.Marker: "echo …", "PW=" + clitest.Marker + " show": "show …",
		"A=1 PW=" + clitest.Marker: "…", "PW='x " + clitest.Marker + "' show": "…", "sh -c 'echo " + clitest.Marker + "'": "sh …", "true; /bin/echo\n" + clitest.Marker: "true; …",
		"true;echo " + clitest.Marker: "true;echo …", "pass show a=b": "pass show a=b"} {
		if got := shownCommand(command); got != want {
			t.Errorf("shownCommand(%q) = %q", command, got)
		}
	}
}
