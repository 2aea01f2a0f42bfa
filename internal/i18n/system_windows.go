package i18n

import "golang.org/x/sys/windows"

// System returns the user's display language. Windows sets no LANG.
func System() string {
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[0]
}
