package command

// SendExample is the first command line that a user with an account types.
func (a *Context) SendExample() string {
	return a.WithVariable("YAN_PASSWORD_FILE", "code.txt", `yan send -f me@qq.com -t friend@163.com -s 你好 -b "Hello World"`)
}
