package command

// SendExample returns the first command line for a user with an account.
func (a *Context) SendExample() string {
	return a.WithVariable("YAN_PASSWORD_FILE", "code.txt", `yan send -f me@qq.com -t friend@163.com -s 你好 -b "Hello World"`)
}

// WithVariable returns a command line that sets a variable for one command, in
// the syntax of this system's shell.
func (a *Context) WithVariable(name, value, line string) string {
	if a.Windows { // PowerShell
		return "$env:" + name + `="` + value + `"; ` + line
	}
	return name + "=" + value + " " + line
}
