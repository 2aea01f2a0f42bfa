package charset

import (
	"strconv"

	"golang.org/x/sys/windows"
)

// OfInput returns the charset in which other programs write: the console's code page, which "dir"
// uses, or the system's if there is no console.
func OfInput(getenv func(string) string) string {
	if of := ofLocale(getenv); of != "" {
		return of
	}
	page, err := windows.GetConsoleOutputCP()
	if err != nil || page == 0 {
		page = windows.GetACP()
	}
	return "cp" + strconv.FormatUint(uint64(page), 10)
}
