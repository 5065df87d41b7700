# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Completion of p11prof: what may stand at the cursor is asked of the command itself.
function __p11prof_complete
    set -l line (commandline -cp)
    for answer in (p11prof --complete "$line" 2>/dev/null)
        switch $answer
            case \tfiles \targuments
                __fish_complete_path (commandline -ct)
            case \tfolders
                __fish_complete_directories (commandline -ct)
            case \tcommand
                __fish_complete_command
            case '*'
                echo $answer
        end
    end
end

for program in p11prof p11prof-bench p11prof-report
    complete -c $program -f -k -a '(__p11prof_complete)'
end
