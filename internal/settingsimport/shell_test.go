package settingsimport

import "testing"

func TestSpelled(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"echo hunter2": "hunter2", "echo\thunter2": "hunter2", " /bin/echo  hunter2 ": "hunter2", "echo -n hunter2": "hunter2", "echo 'hunter2'": "hunter2",
		`echo "hunter2"`: "hunter2", "printf hunter2": "hunter2", `printf '%s' hunter2`: "hunter2", `printf "%s\n" 'hunter2'`: "hunter2", `printf %s hunter2`: "hunter2",
		`/usr/bin/printf 'hunter2\n'`: "hunter2", `printf -- '%s' hunter2`: "hunter2", "echo my pass  word": "my pass word", `echo 'my$ecret'`: "my$ecret",
		`echo my\$ecret`: "my$ecret", `echo "a'b"`: "a'b", `echo hun"ter"2`: "hunter2", "LC_ALL=C command echo hunter2": "hunter2", "print -r hunter2": "hunter2",
		`echo 'a|b;c'`: "a|b;c", "echo a#b~c": "a#b~c",
	} {
		if got, how := passwordInCommand(command); got != want || how != clearly {
			t.Errorf("%q: %q, %v, want %q", command, got, how, want)
		}
	}
	for command, want := range map[string]commandContent{
		"pass show mail": elsewhere, "": elsewhere, "echo $PW": elsewhere, `echo "$(pass show mail)"`: elsewhere, "echo `cat x`": elsewhere, "gpg -d x | head -1": elsewhere,
		"echo hunter2 | rev": somehow, "echo aHVudGVyMg== | base64 -d": somehow, "echo hunter2; true": somehow, `printf 'h%sr2' unte`: somehow, "echo hun*": somehow,
		`echo -e 'hun\x74er2'`: somehow, "echo 'hunter2": somehow, "echo": somehow, "printf": somehow, "echo > x hunter2": somehow, "echo ~/x": somehow, "printf '%s' a b": somehow,
	} {
		if got, how := passwordInCommand(command); got != "" || how != want {
			t.Errorf("%q: %q, %v, want %v", command, got, how, want)
		}
	}
}

func FuzzSpelled(f *testing.F) {
	f.Add("echo 'a b' \"$x\\\"\" `y`")
	f.Fuzz(func(t *testing.T, command string) {
		if word, how := passwordInCommand(command); (word != "") != (how == clearly) {
			t.Errorf("%q: %q, %v", command, word, how)
		}
	})
}
