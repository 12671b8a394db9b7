# What the program is told by the build. Part of the Makefile at the top.

# The commit is compiled into main alone: a new one links the program again and nothing else. Outside a checkout of this
# project (a tarball, also one that lies inside another project's checkout) it is "unknown".
$(BUILD)/commit: FORCE
	@tools/record.sh $@ "$$(test -e .git && git describe --always --dirty --abbrev=12 --match= 2>/dev/null || \
		echo unknown)"
$(BUILD)/tools/tapcut.o: $(BUILD)/commit
$(BUILD)/tools/tapcut.o: private ALLFLAGS += -DTAPCUT_COMMIT='"$(shell cat $(BUILD)/commit 2>/dev/null)"'
